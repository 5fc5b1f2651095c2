# bf_manual(PROGRAM): its manual page and its completion for bash, zsh and fish, printed by the program itself
# (`PROGRAM --generate=…`), and where they are installed. Run as a script (cmake -P) it makes one of them.
if(CMAKE_SCRIPT_MODE_FILE)
  execute_process(COMMAND ${PROGRAM} --generate=${KIND} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE ${OUT} "${text}")
  return()
endif()

include(GNUInstallDirs)
set(BF_MANUAL_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(bf_manual target)
  set(made "")
  foreach(kind man bash zsh fish)
    set(out ${PROJECT_BINARY_DIR}/manual/${kind}/${target})
    add_custom_command(OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${target}> -DKIND=${kind} -DOUT=${out} -P ${BF_MANUAL_SCRIPT}
      DEPENDS ${target} ${BF_MANUAL_SCRIPT} VERBATIM)
    list(APPEND made ${out})
  endforeach()
  add_custom_target(${target}_manual ALL DEPENDS ${made})
  set(from ${PROJECT_BINARY_DIR}/manual)
  set(to ${CMAKE_INSTALL_DATADIR})
  install(FILES ${from}/man/${target} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 RENAME ${target}.1)
  install(FILES ${from}/bash/${target} DESTINATION ${to}/bash-completion/completions)
  install(FILES ${from}/zsh/${target} DESTINATION ${to}/zsh/site-functions RENAME _${target})
  install(FILES ${from}/fish/${target} DESTINATION ${to}/fish/vendor_completions.d RENAME ${target}.fish)
endfunction()
