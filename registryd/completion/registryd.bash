# bash completion for registryd: its options, files, and the registries that there are.

_registryd_options="--registry --config --capacity --runtime-dir --state --http --check --purge --version --help"

_registryd_registries()
{
    local panel
    for panel in /dev/shm/registryd.*.panel; do
        panel=${panel#/dev/shm/registryd.}
        [[ $panel == "*"* ]] || echo "${panel%.panel}"
    done
}

_registryd()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    case $previous in
    --registry) mapfile -t COMPREPLY < <(compgen -W "$(_registryd_registries)" -- "$current") ;;
    --config | --state) compopt -o default ;;
    --runtime-dir) compopt -o dirnames ;;
    --capacity | --http) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$_registryd_options" -- "$current") ;;
    esac
}

complete -F _registryd registryd
