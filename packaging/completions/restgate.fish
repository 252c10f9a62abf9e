# fish completion for restgate(8)

complete -c restgate -f
complete -c restgate -n __fish_is_first_token -a demo -d 'Run the gateway in front of a demo backend'
complete -c restgate -n __fish_is_first_token -a reload -d 'Have the running gateway load its configuration anew'
complete -c restgate -n 'not __fish_seen_subcommand_from demo' -o config -r -F -d 'The configuration'
complete -c restgate -n '__fish_seen_subcommand_from reload' -o socket -r -F -d 'Where the gateway listens'
complete -c restgate -n 'not __fish_seen_subcommand_from demo reload' -s t -d 'Check the configuration and exit'
complete -c restgate -n 'not __fish_seen_subcommand_from demo reload' -o version -d 'Print version, commit and time'
complete -c restgate -n '__fish_seen_subcommand_from demo' -o port -x -d 'Port of the gateway'
complete -c restgate -n '__fish_seen_subcommand_from demo' -o admin-port -x -d 'Port of health, metrics, version'
complete -c restgate -n '__fish_seen_subcommand_from demo' -o print-config -d 'Print the demo configuration'
complete -c restgate -o help -d 'Print a summary'
