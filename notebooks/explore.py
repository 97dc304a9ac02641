# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Explore a lake
# Opens the lake as every reader does, at the versions that the last run made visible, and shows what became of the
# lines and which interests are strongest. Counts and sums only: no row of a person is shown. Set `NIGHTJAR_LAKE` to
# look at a lake of your own; `make run` makes the default one.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
from pyspark.sql import functions as F

from jobs import decay
from jobs.lake import Lake
from jobs.policy import policy_on, read_policies
from jobs.scoring import taxonomy
from jobs.session import start
from schemas.outcomes import OUTCOME_COUNTS
from schemas.profiles import PROFILES
from schemas.words import OUTCOMES

lake = Lake(start(), Path(os.environ.get("NIGHTJAR_LAKE", "build/lake")))
run = lake.log.history().last
as_of = max(lake.log.history().dates)
policy = policy_on(read_policies(), as_of)

# %% [markdown]
# ## Where the lines went
# Interactions by surface and outcome, over all nights.

# %%
counted = (
    lake.read(OUTCOME_COUNTS, run)
    .where("source = 'interactions'")
    .groupBy("surface")
    .pivot("outcome", [outcome for outcome in OUTCOMES])
    .agg(F.sum("lines"))
    .fillna(0)
    .toPandas()
    .set_index("surface")
    .sort_index()
)
counted = counted.loc[:, counted.sum() > 0]
shares = counted.div(counted.sum(axis=1), axis=0)
axes = shares.plot.barh(stacked=True, figsize=(11, 4), colormap="tab20", width=0.85)
axes.set(xlabel="share of lines", ylabel="", title="Outcome of every raw line, by surface", xlim=(0, 1))
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
plt.show()

# %%
counted.assign(total=counted.sum(axis=1)).astype(int)

# %% [markdown]
# ## The strongest interests
# Strength of a topic as of the last landing date, summed over everybody who has it, in full signals of that day; only
# topics shared by enough people.

# %%
FEWEST_PEOPLE = 5
strongest = (
    lake.read(PROFILES, run)
    .groupBy("topic_id")
    .agg(F.sum("weight").alias("weight"), F.count(F.lit(1)).alias("people"))
    .where(F.col("people") >= FEWEST_PEOPLE)
    .orderBy(F.desc("weight"))
    .limit(15)
    .toPandas()
)
strongest["strength"] = [
    float(decay.strength(int(weight), as_of, policy.landmark, policy.half_life_days)) for weight in strongest["weight"]
]
strongest["topic"] = [" › ".join(taxonomy.path(topic)) for topic in strongest["topic_id"]]
axes = strongest[::-1].plot.barh(x="topic", y="strength", figsize=(9, 5), legend=False, color="#3b6ea5")
axes.set(xlabel=f"strength as of {as_of} (full signals)", ylabel="", title="Strongest interests")
plt.tight_layout()
plt.show()
