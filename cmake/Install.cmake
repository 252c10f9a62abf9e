# What a package consists of, for `cmake --install` with the prefix /usr (packaging/). Their paths are known to the unit
# and to each other: they do not follow another prefix. `make install` installs the executable alone.
set(RESTGATE_UNIT_DIR lib/systemd/system CACHE STRING "Directory of the systemd unit")

set(packaging ${CMAKE_SOURCE_DIR}/packaging)
install(TARGETS restgate DESTINATION sbin)
install(FILES ${packaging}/restgate.yaml DESTINATION /etc/restgate)
install(FILES ${packaging}/systemd/restgate.service DESTINATION ${RESTGATE_UNIT_DIR})
install(FILES ${packaging}/restgate.sysusers DESTINATION lib/sysusers.d RENAME restgate.conf)
install(PROGRAMS ${packaging}/libexec/reload ${packaging}/libexec/upgrade DESTINATION libexec/restgate)
install(FILES ${packaging}/man/restgate.8 DESTINATION share/man/man8)
install(FILES ${packaging}/man/restgate.yaml.5 DESTINATION share/man/man5)
install(FILES ${packaging}/completions/restgate.bash DESTINATION share/bash-completion/completions RENAME restgate)
install(FILES ${packaging}/completions/_restgate DESTINATION share/zsh/vendor-completions)
install(FILES ${packaging}/completions/restgate.fish DESTINATION share/fish/vendor_completions.d)
install(FILES config/restgate.example.yaml config/restgate.schema.json DESTINATION share/doc/restgate/examples)
