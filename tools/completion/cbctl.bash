# bash completion for cbctl: commands, options, breakers, files and the keys of a policy.

_cbctl_commands="list show top stats history watch workers calls doctor ping create set trip reset force-open disable
    metrics-only auto remove run simulate"

_cbctl_keys="preset= failure_threshold= failure_rate_threshold= slow_call_rate_threshold= slow_call_duration= window=
    minimum_calls= open_timeout= backoff_multiplier= max_open_timeout= jitter= half_open_max_calls= success_threshold=
    half_open_success_rate= half_open_minimum_probes= half_open_timeout= call_timeout= max_concurrent= timing="

# The options of a command.
_cbctl_options()
{
    case $1 in
    list) echo "--names --json" ;;
    top) ;;
    stats) echo "--for --json" ;;
    show | history | watch | workers | calls | doctor | ping) echo "--json" ;;
    create | set) echo "--offline --json" ;;
    trip | auto | remove) echo "--reason --offline --json" ;;
    reset) echo "--all --reason --offline --json" ;;
    force-open | disable | metrics-only) echo "--for --reason --offline --json" ;;
    run) echo "--policy --timeout --" ;;
    simulate) echo "--policy --verbose --json" ;;
    '') echo "--version" ;;
    esac
}

# The values of a key that takes words.
_cbctl_values()
{
    case $1 in
    preset) echo "default aggressive lenient" ;;
    window) echo "none count: time:" ;;
    timing) echo "off coarse precise" ;;
    esac
}

# Offer those of $2 that begin with $1; one that ends in "=" or ":" goes on without a blank.
_cbctl_offer()
{
    mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace
}

_cbctl_registries()
{
    local panel
    for panel in /dev/shm/registryd.*.panel; do
        panel=${panel#/dev/shm/registryd.}
        [[ $panel == "*"* ]] || echo "${panel%.panel}"
    done
}

_cbctl_policy()
{
    if [[ $1 == *=* ]]; then
        _cbctl_offer "${1#*=}" "$(_cbctl_values "${1%%=*}")"
    else
        _cbctl_offer "$1" "$_cbctl_keys"
    fi
}

# Bash breaks words at "=" and ":"; the policy's key and a breaker's name are whole again in what this puts together.
_cbctl_whole()
{
    local line=${COMP_LINE:0:COMP_POINT}
    [[ $line == *[[:space:]] ]] || printf '%s' "${line##*[[:space:]]}"
}

_cbctl_names()
{
    local whole which=()
    whole=$(_cbctl_whole)
    [[ -n $1 ]] && which=(--registry "$1")
    _cbctl_offer "$whole" "$(cbctl "${which[@]}" list --names 2>/dev/null)"
    local broken=${whole%"${whole##*:}"} # what stands before the word that bash completes
    COMPREPLY=("${COMPREPLY[@]#"$broken"}")
}

# What `run` runs, whose first word is number $1: with bash-completion loaded, completed as if it stood alone.
_cbctl_command()
{
    if declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif ((COMP_CWORD == $1)); then
        mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}" | sort -u)
    else
        compopt -o default
    fi
}

_cbctl()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' registry='' arguments=0 word i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        --) [[ $command == run ]] && { _cbctl_command $((i + 1)); return; } ;;
        --registry) registry=${COMP_WORDS[++i]} ;;
        --for | --reason | --policy | --timeout) ((i++)) ;;
        -* | = | :) ;;
        *) if [[ -z $command ]]; then command=$word; else ((arguments++)); fi ;;
        esac
    done
    case $previous in
    --registry) _cbctl_offer "$current" "$(_cbctl_registries)"; return ;;
    --for | --reason | --timeout) return ;;
    --policy) _cbctl_offer "$current" "$_cbctl_keys"; return ;;
    esac
    if [[ $current == -* ]]; then
        _cbctl_offer "$current" "--registry --help $(_cbctl_options "$command")"
    elif [[ -z $command ]]; then
        _cbctl_offer "$current" "$_cbctl_commands"
    elif [[ $command == simulate ]]; then
        compopt -o default
    elif [[ $command == @(create|set) && $arguments -ge 1 && $(_cbctl_whole) != *:* ]]; then
        _cbctl_policy "$(_cbctl_whole)"
    elif [[ $command != @(workers|doctor|ping) && $arguments -eq 0 || $(_cbctl_whole) == *:* ]]; then
        _cbctl_names "$registry"
    fi
}

complete -F _cbctl cbctl
