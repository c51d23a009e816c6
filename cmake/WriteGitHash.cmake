# SPDX-License-Identifier: BSD-3-Clause
# Writes the commit (and "-dirty") into OUTPUT; touches it only when it changes.
set(hash "unknown")
if(GIT)
  execute_process(COMMAND ${GIT} describe --always --dirty --abbrev=12 --exclude=* WORKING_DIRECTORY ${SOURCE}
                  OUTPUT_VARIABLE described RESULT_VARIABLE result OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(result EQUAL 0)
    set(hash ${described})
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define MINIDAD_GIT_HASH \"${hash}\"\n" @ONLY)
