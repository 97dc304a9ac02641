"""signal_accounts: by which accounts a profile has its signals. What a night asks before it reads any stored signal."""

from schemas.contract import DIGEST, FLAG, LONG, TEXT, Contract, Rule, column

SIGNAL_ACCOUNTS = Contract(
    name="signal_accounts",
    row="an account by whose link a profile has signals",
    columns=(
        column("profile_id", TEXT, "whose signals they are"),
        column("account_digest", DIGEST, "keyed digest of app and account"),
        column("ai", FLAG, "whether it is an AI account"),
        column("signals", LONG, "how many signals stand by it"),
    ),
    key=("profile_id", "account_digest"),
    rules=(Rule("signals_positive", "signals > 0", "an account without signals is no row"),),
    write="overwrite",
    history=False,
    retention="until the next run",
    readers="the nightly job",
)
