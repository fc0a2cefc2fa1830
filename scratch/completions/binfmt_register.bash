# shellcheck shell=bash
# What bash completes after binfmt_register: its options, and the architectures that its --help lists.

_binfmt_register() {
    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} before='' names index
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        [[ ${COMP_WORDS[index]} == -- ]] || continue
        # A command, and files for it.
        if ((index + 1 == COMP_CWORD)); then
            mapfile -t COMPREPLY < <(compgen -c -- "$word")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            compopt -o filenames
        fi
        return
    done
    # To bash an equals sign is a word of its own.
    if [[ $word == = ]]; then
        word=''
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $option in
    --install | --uninstall)
        names=$(binfmt_register --help 2>/dev/null | sed -n 's/^architectures.*: //p' | tr '(),' '   ')
        [[ $option == --uninstall ]] || names="all $names"
        [[ $word != *,* ]] || before=${word%,*},
        mapfile -t COMPREPLY < <(compgen -P "$before" -W "$names" -- "${word##*,}")
        ;;
    --explain)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames
        ;;
    --mount | --root)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        compopt -o filenames
        ;;
    --rules)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames
        ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W '--install --uninstall --rules --status --status=full --print --interpreters --hold
            --explain --root --mount --version --help' -- "$word")
        ;;
    esac
}

complete -F _binfmt_register binfmt_register
