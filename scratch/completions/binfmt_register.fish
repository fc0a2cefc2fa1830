# What fish completes after binfmt_register: its options, and the architectures that its --help lists.

function __binfmt_register_architectures
    binfmt_register --help 2>/dev/null | sed -n 's/^architectures.*: //p' | tr -s ' (),' '\n'
end

# Whether the word is after `--`: it is of another command, which completes it.
function __binfmt_register_has_command
    contains -- -- (commandline -opc)
end

function __binfmt_register_command
    set -l words (commandline -opc)
    set -e words[1..(contains -i -- -- $words)]
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end

complete -c binfmt_register -f
complete -c binfmt_register -n __binfmt_register_has_command -a '(__binfmt_register_command)'
complete -c binfmt_register -l install -x -a '(__fish_complete_list , "echo all; __binfmt_register_architectures")' -d 'Register these architectures'
complete -c binfmt_register -l uninstall -x -a '(__fish_complete_list , __binfmt_register_architectures)' -d 'Remove entries'
complete -c binfmt_register -l rules -r -F -d 'Register the rules of these files, too'
complete -c binfmt_register -l status -d 'Print what this machine executes now'
complete -c binfmt_register -l status=full -d 'Print all entries'
complete -c binfmt_register -l print -d 'Print the rules'
complete -c binfmt_register -l interpreters -d 'Print the files that registration opens'
complete -c binfmt_register -l hold -d 'Stay, and register again what others remove'
complete -c binfmt_register -l explain -r -F -d 'Say why files run here, or do not'
complete -c binfmt_register -l root -x -a '(__fish_complete_directories)' -d 'Where the files to explain are'
complete -c binfmt_register -l mount -x -a '(__fish_complete_directories)' -d 'Where binfmt_misc is, or is to be, mounted'
complete -c binfmt_register -l version -d 'Print the version'
complete -c binfmt_register -l help -d 'Print the help'
