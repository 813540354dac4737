# step "Name" command...: runs a command under a heading; says each 20 s that it is still at it when it is silent for long.
step() {
    local name=$1 begun=$SECONDS code ticker
    shift
    echo "== $name: $*"
    # sleep must not hold the output open when the loop is killed.
    while sleep 20 > /dev/null 2>&1; do echo "   ... $name: $((SECONDS - begun)) s"; done &
    ticker=$!
    "$@"
    code=$?
    kill "$ticker" 2> /dev/null
    wait "$ticker" 2> /dev/null
    echo "== $name: $([ "$code" -eq 0 ] && echo ok || echo "failed (exit $code)") after $((SECONDS - begun)) s"
    return "$code"
}
