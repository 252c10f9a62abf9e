# Version, commit and build time in the executable: restgate_build_info, the library that defines common/version.h.
#
# The commit is asked for at every build, but its stamp is written only when it differs; the time is taken anew only
# when the commit or one of the executable's own inputs changed. So a second build has nothing to do.
# restgate_master passes the library on to whoever links it.
set(commit_stamp ${CMAKE_BINARY_DIR}/build_info/commit.txt)
set(build_info_source ${CMAKE_BINARY_DIR}/build_info/version.cc)

add_custom_target(restgate_commit
  COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${CMAKE_SOURCE_DIR} -DOUTPUT=${commit_stamp}
          -P ${CMAKE_SOURCE_DIR}/cmake/write_commit.cmake
  BYPRODUCTS ${commit_stamp}
  COMMENT "Asking for the commit")

add_custom_command(OUTPUT ${build_info_source}
  COMMAND ${CMAKE_COMMAND} -DVERSION=${PROJECT_VERSION} -DCOMMIT_FILE=${commit_stamp} -DOUTPUT=${build_info_source}
          -DTEMPLATE=${CMAKE_SOURCE_DIR}/cmake/version.cc.in -P ${CMAKE_SOURCE_DIR}/cmake/write_version.cmake
  DEPENDS ${commit_stamp} ${CMAKE_SOURCE_DIR}/cmake/write_version.cmake ${CMAKE_SOURCE_DIR}/cmake/version.cc.in
          ${CMAKE_SOURCE_DIR}/CMakeLists.txt ${CMAKE_SOURCE_DIR}/master/main.cc
          restgate_common restgate_config restgate_worker restgate_master
  COMMENT "Noting version, commit and time"
  VERBATIM)

add_library(restgate_build_info STATIC ${build_info_source})
add_dependencies(restgate_build_info restgate_commit)
target_include_directories(restgate_build_info PRIVATE ${CMAKE_BINARY_DIR}/include/common)
target_link_libraries(restgate_build_info PRIVATE restgate_options)
target_link_libraries(restgate_master INTERFACE restgate_build_info)
