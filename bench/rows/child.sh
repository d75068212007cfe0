title="a fresh child reads one mail of nothing but From and ends: forked by the zygote, confined, answered; the peer forks and confines a child that does nothing"
contenders="sengen empty"
targets="child <= 300 us"
run_sengen() { "$peers/child" "$(scaled 2000)"; }
run_empty() { "$peers/parse" "$(scaled 2000)"; }
