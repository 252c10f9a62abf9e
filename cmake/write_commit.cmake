# Writes the commit of SOURCE_DIR to OUTPUT, if it differs from what stands there. In order: the environment
# (RESTGATE_COMMIT, for builds without a repository), git, what `git archive` filled in, "unknown".
set(commit "$ENV{RESTGATE_COMMIT}")
if(commit STREQUAL "" AND EXISTS ${SOURCE_DIR}/.git)
  # The build may run as another user than the owner of the clone (sudo, containers).
  execute_process(
    COMMAND git -c safe.directory=${SOURCE_DIR} describe --always --dirty --abbrev=12 --match=NeVeR
    WORKING_DIRECTORY ${SOURCE_DIR} OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(commit STREQUAL "")
  file(STRINGS ${SOURCE_DIR}/cmake/archive_commit.txt commit LIMIT_COUNT 1)
  string(SUBSTRING "${commit}" 0 12 commit)
  if(NOT commit MATCHES "^[0-9a-f]+$")
    set(commit "unknown")
  endif()
endif()

set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL commit)
  file(WRITE ${OUTPUT} "${commit}")
endif()
