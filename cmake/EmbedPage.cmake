# The page of the admin port in the executable: OUTPUT defines restgate::master::embedded_page() from what lies in
# master/page and the chart library. Run as a script (-P) by the build; included, it says so to the build.
if(CMAKE_SCRIPT_MODE_FILE)
  set(source "// Written by the build (cmake/EmbedPage.cmake).\n#include \"master/status/page.h\"\n\n")
  string(APPEND source "namespace restgate::master {\n\nPageParts embedded_page() {\n  return {\n")
  foreach(part HTML STYLE LIBRARY SCRIPT)
    set(text "")
    foreach(file ${${part}})
      file(READ ${file} content)
      string(APPEND text "${content}")
    endforeach()
    string(APPEND source "R\"restgate_page(${text})restgate_page\",\n")
  endforeach()
  file(WRITE ${OUTPUT} "${source}  };\n}\n\n}  // namespace restgate::master\n")
  return()
endif()

# Chart.js 3, as Debian's libjs-chart.js has it; elsewhere -DRESTGATE_CHART_JS=/path/to/chart.min.js.
find_file(RESTGATE_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js /usr/share/nodejs/chart.js/dist REQUIRED)
mark_as_advanced(RESTGATE_CHART_JS)

set(page ${CMAKE_SOURCE_DIR}/master/page)
set(page_source ${CMAKE_BINARY_DIR}/page/embedded_page.cc)
# One script, in this order.
set(page_scripts ${page}/format.js ${page}/dom.js ${page}/charts.js ${page}/table.js ${page}/views.js ${page}/live.js
  ${page}/main.js)
add_custom_command(OUTPUT ${page_source}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${page_source} -DHTML=${page}/index.html -DSTYLE=${page}/page.css
          -DLIBRARY=${RESTGATE_CHART_JS} "-DSCRIPT=${page_scripts}" -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${page}/index.html ${page}/page.css ${RESTGATE_CHART_JS} ${page_scripts} ${CMAKE_CURRENT_LIST_FILE}
  COMMENT "Embedding the page"
  VERBATIM)
target_sources(restgate_master PRIVATE ${page_source})
