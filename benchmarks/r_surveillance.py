"""The R package surveillance as a peer, where it is installed (Debian: apt-get install r-cran-surveillance).

R times its own fit, so that starting R and loading the data do not count.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

_PLANE = """
data("imdepi")
apart <- dist(coordinates(imdepi$events))
set.seed(321)
untied <- untie(imdepi, amount = list(s = min(apart[apart > 0]) / 2))
endemic <- twinstim(
  endemic = addSeason2formula(~offset(log(popdensity)) + I(start / 365 - 3.5), period = 365, timevar = "start"),
  data = untied, subset = !is.na(agegrp), verbose = FALSE, optim.args = list(control = list(trace = 0)))
"""
"""The endemic fit of the package's vignette on events in the plane, from which its others start."""

MODELS = {
    "measles basic": """
data("measlesWeserEms")
model <- list(
  ar = list(f = ~1),
  ne = list(f = ~1, weights = neighbourhood(measlesWeserEms) == 1),
  end = list(f = addSeason2formula(~1 + t, period = 52), offset = population(measlesWeserEms)),
  family = "NegBin1")
run <- function() hhh4(measlesWeserEms, model)
""",
    "influenza B2": """
data("fluBYBW")
near <- neighbourhood(fluBYBW)
model <- list(
  ar = list(f = ~1),
  ne = list(f = ~-1 + ri(type = "iid", corr = "all"), weights = near / rowSums(near)),
  end = list(f = addSeason2formula(~-1 + ri(type = "iid", corr = "all") + I((t - 208) / 100), S = 3, period = 52),
             offset = population(fluBYBW)),
  family = "NegBin1", data = list(t = epoch(fluBYBW) - 1))
run <- function() hhh4(fluBYBW, model)
""",
    "twinstim Gaussian": _PLANE
    + """
run <- function() update(
  endemic, epidemic = ~type + agegrp, siaf = siaf.gaussian(), start = c("e.(Intercept)" = -12.5, "e.siaf.1" = 2.75),
  control.siaf = list(F = list(adapt = 0.25), Deriv = list(nGQ = 13)))
""",
    "twinstim power law": _PLANE
    + """
run <- function() update(
  endemic, epidemic = ~type + agegrp, siaf = siaf.powerlaw(),
  start = c("e.(Intercept)" = -6.2, "e.siaf.1" = 1.5, "e.siaf.2" = 0.9))
""",
}
"""The models as that package states them; run() fits one."""

RECORDED = {
    "measles basic": 0.027, "influenza B2": 27.6, "twinstim Gaussian": 2.5, "twinstim power law": 11.9
}  # fmt: skip
"""Processor seconds of surveillance 1.26.0, recorded on another day: used where R is absent."""


@cache
def present() -> bool:
    """Whether R and the package are installed."""
    command = shutil.which("Rscript")
    return (
        command is not None
        and subprocess.run([command, "-e", "library(surveillance)"], capture_output=True, check=False).returncode == 0
    )


def seconds(model: str, times: int) -> float:
    """Processor seconds of a fit by R: the best of `times` after one that does not count; as recorded without R."""
    if not present():
        return RECORDED[model]
    return fitted(model, times)[0]


def fitted(model: str, times: int) -> tuple[float, float]:
    """Processor seconds of R's fit, the best of `times` after one that does not count, and its log-likelihood."""
    script = f"""
suppressMessages(library(surveillance))
{MODELS[model]}
best <- Inf
for (n in 0:{times}) {{
  took <- sum(system.time(fit <- run())[c("user.self", "sys.self")])
  if (n > 0) best <- min(best, took)
}}
cat(best, format(c(logLik(fit)), digits = 15), sep = "\\n")
"""
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
    best, log_likelihood = done.stdout.split()
    return float(best), float(log_likelihood)


def name() -> str:
    """What the peer is called in the table."""
    return "R surveillance, processor seconds" + ("" if present() else " as recorded (R is not installed)")
