# The state of sourceos-syncd for the prompt of bash and zsh. It reads one small file and starts no
# process, so that a prompt costs nothing.
#
#   . ~/.config/sourceos.sh
#   PROMPT_COMMAND=sourceos_state     # bash; of zsh: precmd_functions+=(sourceos_state)
#   PS1='$SOURCEOS_MARK\w \$ '        # zsh: setopt prompt_subst; PS1='$SOURCEOS_MARK%~ %# '
#
# SOURCEOS_STATE is clean, degraded, conflicted, policy-blocked, offline, repair-recommended or
# daemon-unavailable; SOURCEOS_MARK is empty while all is well. A daemon that was killed leaves its
# file behind: the process that it names has to be there.
sourceos_state() {
    local sourceos_line= sourceos_process= sourceos_name=
    SOURCEOS_STATE=daemon-unavailable
    if [ -r "${XDG_RUNTIME_DIR-}/sourceos-syncd/status.json" ]; then
        IFS= read -r sourceos_line <"$XDG_RUNTIME_DIR/sourceos-syncd/status.json"
    fi
    case $sourceos_line in
    '{'*'"daemon_state":"'*'"pid":'[0-9]*'}')
        sourceos_process=${sourceos_line##*\"pid\":}
        sourceos_process=${sourceos_process%%[!0-9]*}
        if [ -r "/proc/$sourceos_process/comm" ]; then
            IFS= read -r sourceos_name <"/proc/$sourceos_process/comm"
        fi
        sourceos_line=${sourceos_line#*\"daemon_state\":\"}
        case $sourceos_name:${sourceos_line%%\"*} in
        sourceos*:clean | sourceos*:degraded | sourceos*:conflicted | sourceos*:policy-blocked | \
            sourceos*:offline | sourceos*:repair-recommended)
            SOURCEOS_STATE=${sourceos_line%%\"*}
            ;;
        esac
        ;;
    esac
    case $SOURCEOS_STATE in
    clean) SOURCEOS_MARK= ;;
    *) SOURCEOS_MARK="($SOURCEOS_STATE) " ;;
    esac
}
