# step "Name" command...: runs a command under a heading; says every 8 s that it is still at it. Steps inside of steps leave that to the outermost.
step() {
    local name=$1 begun=$SECONDS code ticker
    shift
    echo "== $name: $*"
    if [ -n "${RUM_STEP:-}" ]; then
        "$@"
        code=$?
    else
        # sleep must not hold the output open when the loop is killed.
        while sleep 8 > /dev/null 2>&1; do echo "   ... $name: $((SECONDS - begun)) s"; done &
        ticker=$!
        RUM_STEP=1 "$@"
        code=$?
        kill "$ticker" 2> /dev/null
        wait "$ticker" 2> /dev/null
    fi
    echo "== $name: $([ "$code" -eq 0 ] && echo ok || echo "failed (exit $code)") after $((SECONDS - begun)) s"
    return "$code"
}
