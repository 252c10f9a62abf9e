# bash completion for restgate(8)                                          -*- shell-script -*-

_restgate() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]} words
  case $previous in
    -config | --config)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -d -- "$current"; compgen -f -X '!*.yaml' -- "$current"
        compgen -f -X '!*.yml' -- "$current")
      return
      ;;
    -socket | --socket)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    -port | --port | -admin-port | --admin-port) return ;;
  esac
  case $command in
    demo) words="-port -admin-port -print-config -help" ;;
    reload) words="-config -socket -help" ;;
    *) words="-config -t -version -help" ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="demo reload $words"
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _restgate restgate
