"""activations: what each placement of each app may personalise by. There is none for an AI product."""

from schemas.contract import TEXT, TEXTS, Contract, Rule, column, one_of
from schemas.words import PERSONALISED_APPS, PLACEMENTS

ACTIVATIONS = Contract(
    name="activations",
    row="a placement of an app that one profile is linked to",
    columns=(
        column("profile_id", TEXT, "whose interests they are"),
        column("app", TEXT, "where the profile has an account"),
        column("placement", TEXT, "where in the app; whose floor every interest reaches"),
        column("topic_ids", TEXTS, "the interests, strongest first, at most as many as the policy says"),
    ),
    key=("profile_id", "app", "placement"),
    rules=(
        Rule("known_app", one_of("app", PERSONALISED_APPS), "nothing is personalised inside an AI product"),
        Rule("known_placement", one_of("placement", PLACEMENTS), "the placement is one of ours"),
        Rule("some_interest", "size(topic_ids) > 0", "a placement without interest has no row"),
        Rule("each_once", "size(array_distinct(topic_ids)) = size(topic_ids)", "an interest is named once"),
    ),
    write="overwrite",
    history=False,
    retention="until the next run",
    readers="the apps' ranking and ads",
)
