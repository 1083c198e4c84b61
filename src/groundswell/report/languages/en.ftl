# Every sentence of a report, in English. Keys: page-* the frame, figure-* words inside pictures,
# then one prefix a study.

page-answers = What the report says
page-contents = Contents
page-figure = Figure { $number }.
page-flagged = This run stays below its own limits; read it as a draft.
page-approximate = An approximate run: a normal curve stands for what the claims say of the parameters. Good for a first look; before quoting a number, run the study without --approximate.
page-table = The figures as a table

figure-prior = before the claims
figure-posterior = given the claims
figure-median = median
figure-range = { $share } of draws
figure-observed = observed
figure-listed = events listed on the day
figure-listed-anew = histories drawn anew
figure-listed-by-source = the source
figure-claim-cell = { $id }  { $said }, { $speaker }
figure-cities-active = cities with protest on the day
figure-cities-so-far = cities with protest so far
figure-arrests-so-far = arrests so far
figure-participants-so-far = participations so far
figure-said = as said
figure-expected = what the model expects to be said
figure-happened = what the model holds to have happened
figure-class-cities = Cities and events
figure-class-participants = Participants
figure-class-arrests = Arrests and warnings
figure-class-groups = Organised groups
figure-no-claim-after = no claim after { $day }
figure-factor = figure said, as a multiple of what happened
figure-evidence = log Bayes factor of the whole model against the one without this part
figure-cannot-tell = cannot tell
figure-needed = needed
figure-not-wanted = better without
figure-replicate = one replicate
figure-log-ratio = joined for each arrested
figure-more-arrested = more arrested
figure-more-joined = more joined
figure-share-active = probability of protest by the date
figure-left-out-key = shift when left out, in standard deviations of the answer; a dot is within noise, hatched cells are not to be relied on
figure-moved-down = prior lower, narrower or finer
figure-moved-up = prior higher, wider or coarser
figure-interval = 90 % interval of the answer
figure-anchor-matters = the anchor matters
figure-anchor-idle = the anchor does not matter
figure-events = events
figure-skill = skill against { $reference } (above 0 is better)
figure-score = { $score }, lower is better
figure-parts = expected events by cause
figure-before-data = before the data
figure-given-data = given the data
figure-draw = draw
figure-rank = rank among the draws of all chains, from 0 to 1
figure-rank-share = draws, over expected
figure-rhat = R-hat { $value }
figure-some-parameters = { $shown } of { $all } parameters: those with the largest R-hat
figure-recorded = recorded
figure-recorded-outside = recorded, outside nine tenths
figure-forecast = forecast
figure-last-run = the last run’s forecast
figure-before = last run
figure-now = now
figure-within-noise = within the noise of the draws
figure-expected-events = expected events
figure-any-event = probability of any event
figure-pit = share of the forecast below the count
figure-share-of-counts = share of counts
figure-equal = if calibrated
figure-lag = steps apart
figure-residual-correlation = correlation of residuals
figure-within-chance = 95 % of independent residuals
figure-level = level of the interval
figure-share-inside = share of counts inside
figure-level-itself = the level itself
figure-promised = promised by the forecasts
figure-covered = inside, with interval
figure-of-places = each place
figure-of-total = all places together
figure-above = { $above } active
figure-agents = agents
figure-waits = { $count } waits, mean { $mean } steps
figure-exponential = exponential of the same mean
figure-waiting-time = steps from one start to the next
figure-outbursts = outbursts
figure-outburst-active-share = mean share of citizens that is active
figure-outburst-outbursts = outbursts in 100 steps
figure-outburst-waiting-time = mean steps from one start to the next
figure-phases = growth and decay balance at c* = { $rest }
figure-visibility-threshold = visibility threshold α
figure-policing-threshold = policing threshold β
figure-index-first = share of the variance, alone
figure-index-total = in all, with the others
figure-index = Sobol index, with 90 % interval
figure-rank-correlation = partial rank correlation, with 90 % interval
figure-phase-visible = to 1 above α,
    to 0 up to it
figure-phase-lasts = to 0 up to α,
    to c* up to β,
    to 1 from β on
figure-phase-policed = to 1 from β on,
    to 0 below it
figure-phase-still = to 0 below β, to 1 above α,
    still in between
figure-who-joins = who would join, N F(r)
figure-from-nobody = from nobody
figure-stable = stable
figure-unstable = not stable
figure-participants-now = participants now
figure-participants-next = participants in the next round
figure-with-seeds = { $label }; seeds { $seeds }
figure-mean-field = expected (mean field)
figure-step = step
figure-scenario-with = with the scenario
figure-scenario-without = without it
figure-scenario-sets-in = sets in
figure-share-of-persons = share of persons active
figure-share-global = share of runs with a global cascade
figure-window = edges of the cascade window
figure-threshold-share = participation threshold, share of neighbours
figure-mean-degree = mean number of neighbours
figure-seeds = seeds: { $seeds }
figure-step-joined = step in which they joined
figure-joined = { $share } joined

# compare: models on a file of events

words-and = { $first } and { $last }
words-to = { $first } to { $last }

compare-title = Which models foresee these events? { $count } forecasters compared
compare-subtitle = { $file }, { $start } to { $end }
compare-question-data = What was read?
compare-question-best = Which model forecasts best?
compare-question-reference = Is any better than resampling the recent past?
compare-question-mechanisms = Which mechanisms help to foresee them?

compare-data = { $events } { $events ->
        [one] event
       *[other] events
    } in { $places } { $places ->
        [one] place
       *[other] places
    }, { $start } to { $end }, in { $steps } steps of { $days } { $days ->
        [one] day
       *[other] days
    }; { $left } left out, { $assumed } placed by a judgement.
compare-best = Of { $count } forecasters { $best } has the lowest held-out log score, { $score } nats per cell.
compare-best-apart = Of { $count } forecasters { $best } has the lowest held-out log score, { $score } nats per cell, and is told apart from every other at the { $level } level.
compare-best-tied = Of { $count } forecasters { $best } has the lowest held-out log score, { $score } nats per cell. The held-out dates cannot tell it apart from { $tied }; it is told apart from the other { $apart }.
compare-none-apart = Of { $count } forecasters { $best } has the lowest held-out log score, { $score } nats per cell, but the held-out dates cannot tell it apart from any other.
compare-none-better = No fitted model has a better CRPS than { $reference } beyond doubt.
compare-better = Better CRPS than { $reference }: { $models }.
compare-level = Cannot be told apart from { $reference } by CRPS: { $models }.
compare-worse = Worse CRPS than { $reference }: { $models }.
compare-pairs = { $pairs } { $pairs ->
        [one] pair of models that differ by one mechanism was
       *[other] pairs of models that differ by one mechanism were
    } set side by side. By chance alone up to about { $share } of such pairs come out one way or the other, and no correction is made for their number.
compare-intervals = Intervals ({ $level }) come from the spread over { $groups } groups of the { $origins } dates forecast from, by Student's t; forecasts that share a date stand in one group.
compare-too-few-dates = The { $origins } { $origins ->
        [one] date forecast from makes
       *[other] dates forecast from make
    } { $groups } { $groups ->
        [one] group
       *[other] groups
    } without a forecast date in common, and intervals need { $fewest }: too few dates, so no two models can be told apart. A longer record, shorter steps or fewer steps ahead make more.
compare-limit-quiet-places = Only places with at least one event in the file are in the study, so every model knows which places would be active at some time.
compare-limit-days = Dates are known to the day: for the models of single events each event was moved to a random moment of its day (seeded), so triggering within a day cannot be learnt.
compare-limit-cause = What is measured is how much better the next steps are foreseen with a mechanism than without, not what caused the events. A cause that places share, or differences between them that no model holds, can pass for contagion between places or within one.
compare-limit-recorded = Counts are of recorded events: more coverage by the press looks like more protest, as in any such record.

mechanism-earns-its-keep = { $mechanism }: earns its keep (log gain { $low } nats per cell).
mechanism-earns-its-keep-range = { $mechanism }: earns its keep (log gain { $low } to { $high } nats per cell).
mechanism-earns-its-keep-added = { $mechanism }: earns its keep when added to { $without }.
mechanism-cannot-tell = { $mechanism }: the held-out dates cannot tell (log gain { $low } nats per cell).
mechanism-cannot-tell-range = { $mechanism }: the held-out dates cannot tell (log gain { $low } to { $high } nats per cell).
mechanism-cannot-tell-added = { $mechanism }: the held-out dates cannot tell when it is added to { $without }.
mechanism-too-few = { $mechanism }: too few held-out dates to tell (log gain { $low } nats per cell).
mechanism-too-few-range = { $mechanism }: too few held-out dates to tell (log gain { $low } to { $high } nats per cell).
mechanism-too-few-added = { $mechanism }: too few held-out dates to tell when it is added to { $without }.
mechanism-does-harm = { $mechanism }: makes forecasts worse (log gain { $low } nats per cell).
mechanism-does-harm-range = { $mechanism }: makes forecasts worse (log gain { $low } to { $high } nats per cell).
mechanism-does-harm-added = { $mechanism }: makes forecasts worse when added to { $without }.

places-earns-its-keep = { $mechanism }: makes places that were left out of the fit likelier (log gain { $low } nats per cell).
places-earns-its-keep-range = { $mechanism }: makes places that were left out of the fit likelier (log gain { $low } to { $high } nats per cell).
places-earns-its-keep-added = { $mechanism }: makes places that were left out of the fit likelier when added to { $without }.
places-cannot-tell = { $mechanism }: places left out of the fit cannot tell (log gain { $low } nats per cell).
places-cannot-tell-range = { $mechanism }: places left out of the fit cannot tell (log gain { $low } to { $high } nats per cell).
places-cannot-tell-added = { $mechanism }: places left out of the fit cannot tell when it is added to { $without }.
places-does-harm = { $mechanism }: makes places that were left out of the fit less likely (log gain { $low } nats per cell).
places-does-harm-range = { $mechanism }: makes places that were left out of the fit less likely (log gain { $low } to { $high } nats per cell).
places-unlike = { $with } and { $without } weigh different place-steps, so they are not set against each other on places left out of the fit or by AIC.
places-does-harm-added = { $mechanism }: makes places that were left out of the fit less likely when added to { $without }.

compare-section-data = Where and when
compare-section-scores = How well they forecast
compare-section-mechanisms = Which mechanisms earn their keep
compare-section-components = What the best model with parts makes of the events
compare-section-forecasts = Forecasts and what came
compare-section-limits = What this cannot tell
compare-section-left-out = What was left out
compare-words-scores = Every forecaster saw the past of { $origins } dates and forecast the next { $steps } steps with { $draws } simulated paths. Scores are losses: lower is better. "Best" has the lowest log score, "tied" cannot be told from it. AIC compares models of the same data only.
compare-words-mechanisms = Two models that differ by one mechanism, side by side. Three questions are asked of each pair. On held-out dates: the gain in log score per cell, by the density of the whole forecast where both models have one ("densities"), else by draws of single counts; a mechanism earns its keep if the whole interval lies above 0. In sample: the change of AIC, negative where the mechanism is worth its parameters. On held-out places: the gain in log density of places that were left out of the fit, their own past still known, with an interval over places. Densities that differ by less than { $nats } nats over all cells give no verdict.
compare-words-components = { $model }, fitted to the whole window: the expected events of each step, by the part of the model that expects them. It is a reading of the model, not an observation of causes.
compare-words-forecasts = Events of all places together, as { $model } saw them coming from each date: the middle half and nine tenths of its paths, and what was recorded.
compare-caption-map = Places with events; the area of a dot grows with their number.
compare-caption-timeline = Recorded events by step. Grey: before the first forecast.
compare-caption-components = Expected events by part, and recorded events (line).
compare-caption-fan = Forecasts of all places together (bands: 50 % and 90 % of paths, line: median) and recorded events (dots).
compare-caption-skill = CRPS skill against { $reference }, with intervals; right of 0 is better.
compare-table-scores = Scores
compare-table-skill = Skill against { $reference }
compare-table-mechanisms = Mechanisms
compare-table-places = Places
compare-table-components = Expected and recorded events by step
compare-table-forecasts = Forecasts of all places together
compare-table-parameters = Estimates
compare-table-notes = Notes on the fits, and models that could not be scored
compare-table-left-out = Events left out, and judgements
compare-table-unread = Rows that could not be read
compare-first-rows = The first { $shown } of { $count } rows; all are in { $file }.
compare-nothing-left-out = Nothing was left out.
compare-footer = Seed { $seed }. The same file, configuration and seed give the same result.

score-scope = { $origins } { $origins ->
        [one] origin
       *[other] origins
    }, { $steps } { $steps ->
        [one] step
       *[other] steps
    } ahead, { $places } { $places ->
        [one] place
       *[other] places
    }, scored up to { $until }.
score-origins-left = Not scored, since the record ends { $until }: { $origins } of the origins.
score-step-left = Not scored, since the record ends { $until }: step { $first }.
score-steps-left = Not scored, since the record ends { $until }: steps { $first } to { $last }.
score-places-unseen = { $count } places of the forecasts have no event in the file and count as 0: { $places }.
score-events-elsewhere = { $events } { $events ->
        [one] event of the scored steps was
       *[other] events of the scored steps were
    } recorded in { $count } { $count ->
        [one] place
       *[other] places
    } that the forecast did not name: { $places }. They are scored as one more place, “elsewhere”, where it expected 0.
score-events-left = { $events } { $events ->
        [one] event of the file is
       *[other] events of the file are
    } left out, among them those before or after the window.
part-endemic = of their own accord
part-within = from the same place
part-between = from other places

# forecast: the outlook, with its credentials

forecast-title = Forecast for { $first } to { $last }
forecast-subtitle = { $file }, known up to { $origin }; { $model }, { $draws } simulated paths
forecast-question-next = What is expected next?
forecast-question-since = What changed since the last run?
forecast-question-past = How good have such forecasts been?
forecast-question-calibration = Do they promise more than they keep?
forecast-question-data = What was read?

forecast-next = In the { $steps } { $steps ->
        [one] step
       *[other] steps
    } of { $days } { $days ->
        [one] day
       *[other] days
    } up to { $end }, { $low } to { $high } events in all (90 % of paths; middle { $middle }); the { $steps } { $steps ->
        [one] step
       *[other] steps
    } before had { $recent }.
forecast-places = Most are expected in { $places }.
forecast-likely = Of { $places } places, { $count } { $count ->
        [one] is
       *[other] are
    } more likely than not to see an event.
forecast-first-run = No earlier run of the same counts was found in or beside the output folder; the next run in the same place will be compared with this one.
forecast-back = The same forecaster was sent back to { $origins } past { $origins ->
        [one] date
       *[other] dates
    } and forecast { $steps } { $steps ->
        [one] step
       *[other] steps
    } from each, knowing only what the file holds up to it.
forecast-not-back = It could not be sent back: { $reason }
forecast-skill-better = Its CRPS skill against { $reference } is { $skill } (90 % interval { $low } to { $high }): better than the recent past drawn again.
forecast-skill-right = Its CRPS skill against { $reference } is { $skill } (90 % interval { $low } to { $high }): these dates cannot tell it from the recent past drawn again.
forecast-skill-worse = Its CRPS skill against { $reference } is { $skill } (90 % interval { $low } to { $high }): worse than the recent past drawn again, so use that instead.
forecast-skill-unsure = Its CRPS skill against { $reference } is { $skill } (above 0 is better), over too few dates to tell it from chance.
forecast-calibration-missing = Not known, since it could not be sent back.
forecast-coverage-right = Of the { $what ->
        [total] totals
        [places] counts of single places
       *[one] counts
    } forecast from past dates, { $covered } lay inside the central { $level } interval; the forecasts promised { $promised } (an interval of whole counts holds more than its level), and no difference shows beyond chance (90 % interval { $low } to { $high } percentage points; a smaller miss could not have shown).
forecast-coverage-narrow = Of the { $what ->
        [total] totals
        [places] counts of single places
       *[one] counts
    } forecast from past dates, { $covered } lay inside the central { $level } interval where the forecasts promised { $promised }: beyond chance, the intervals are too narrow.
forecast-coverage-wide = Of the { $what ->
        [total] totals
        [places] counts of single places
       *[one] counts
    } forecast from past dates, { $covered } lay inside the central { $level } interval where the forecasts promised { $promised }: beyond chance, the intervals are wider than need be.
forecast-coverage-unsure = Of the { $what ->
        [total] totals
        [places] counts of single places
       *[one] counts
    } forecast from past dates, { $covered } lay inside the central { $level } interval; the forecasts promised { $promised }. There are too few past dates to tell the difference from chance.
forecast-location-right = Their mean place in their forecasts was { $middle } (0.5 is right): no lean to either side shows beyond chance (90 % interval { $low } to { $high }; a smaller one could not have shown).
forecast-location-low = Their mean place in their forecasts was { $middle } (0.5 is right): beyond chance, the forecasts were too low.
forecast-location-high = Their mean place in their forecasts was { $middle } (0.5 is right): beyond chance, the forecasts were too high.
forecast-location-unsure = Their mean place in their forecasts was { $middle } (0.5 is right); so few dates cannot tell whether that is chance.
forecast-until-event = The record is taken to end with the last whole step up to its last event, { $end }; if the file covers later days, on which nothing happened, say so with until.
forecast-until-given = The file is said to cover all days up to { $end }.
forecast-limit-file = The forecaster knows the file and the calendar, nothing else: no election, verdict or call that is not in its counts. It continues what was; a break with the past is not in its paths.
forecast-limit-use = A probability for a place is a statement about records of the past, not about people. It is no ground for action against anyone, and no output here should trigger one without a person who answers for it.

forecast-section-total = All places together
forecast-words-total = Bars: recorded events by step. Fan: the middle half and nine tenths of the simulated paths, and their median.
forecast-caption-total = Recorded events and the forecast of all places together (bands: 50 % and 90 % of paths, line: median).
forecast-caption-total-last = Recorded events and the forecast of all places together (bands: 50 % and 90 % of paths, line: median); orange: nine tenths and median of what the last run expected.
forecast-table-total = The forecast by step
forecast-table-recorded = Recorded events by step
forecast-section-places = By place
forecast-words-places = The places with the most expected events, each on its own scale, and the probability that a place sees any event at all in the steps ahead.
forecast-caption-places = Recorded events and forecasts of the { $count } places with the most expected events (bands: 50 % and 90 % of paths, line: expected events).
forecast-caption-map = Probability of at least one event in the steps ahead; circles grow with population.
forecast-alt-places = Most expected events: { $rows }.
forecast-alt-map = Most probable to see an event: { $rows }.
forecast-table-places = The outlook by place, most expected events first
forecast-table-places-rest = The other places
forecast-section-since = Since the last run
forecast-caption-moved = Expected events as the last run saw them (hollow) and as this one does (filled), the largest changes first.
forecast-alt-moved = Largest changes: { $rows }.
forecast-table-moved = Expected events and probabilities, before and now
forecast-table-held = The last run’s forecast of all places, and what was recorded
forecast-table-last-scores = Scores of the last run’s forecast beside simple baselines
forecast-section-past = How past forecasts did
forecast-words-past = The forecaster and the simple baselines saw the past of { $origins } dates and forecast the next { $steps } { $steps ->
        [one] step
       *[other] steps
    } with { $draws } simulated paths. Scores are losses: lower is better. “Best” has the lowest log score, “tied” cannot be told from it.
forecast-caption-past = What was expected from each past date for all places and { $steps } { $steps ->
        [one] step
       *[other] steps
    } together (bars: 50 % and 90 % of paths), and what came.
forecast-alt-past = { $inside } of { $count } past outlooks held what came within nine tenths of their paths.
forecast-table-past = Past outlooks, and what came
forecast-section-calibration = Calibration
forecast-words-pit = For each count that was forecast from a past date: where did it fall in its forecast? If forecasts are calibrated, equally often in each tenth (dashed). More at both ends: too narrow. More in the middle: too wide. More to the right: too low; to the left: too high. Counts are spread over the part of the forecast that they cover, so many zeros are no fault.
forecast-words-coverage = The share of counts inside the central intervals of the forecasts, against the share that the forecasts promised. Since counts are whole, an interval holds more than its level, most of all where zeros abound; what matters is whether the dots lie on the dashes, not on the thin line. Vertical lines are 90 % intervals of the difference, from its spread over the past dates: calibrated forecasts, too, get a wrong verdict one time in ten.
forecast-caption-pit = Probability integral transform of past forecasts (non-randomised, for counts), with 90 % intervals over past dates.
forecast-caption-coverage = Coverage of the central intervals of past forecasts.
forecast-table-pit = Shares by tenth of the forecast
forecast-table-coverage = Coverage by level
forecast-section-model = The forecaster
forecast-words-model = { $model }, fitted to all that was known.
forecast-words-model-as-is = { $model }, used as it stands, without a fit.
forecast-section-limits = What this cannot tell

since-run = The last run forecast from { $origin } with { $model }.
since-model = Its model was { $before }, now it is { $now }: some of what moved is the change of model.
since-unscored = It is not scored: { $reason }
since-held = Of its { $steps } { $steps ->
        [one] step that has
       *[other] steps that have
    } ended, { $inside } had a total inside the central { $level } interval; { $recorded } events were recorded where it expected { $expected }.
since-same-dates = Both runs forecast { $first } to { $last }, so these dates are compared.
since-outlook = The steps of the two runs fall on different dates, so their outlooks over { $steps } { $steps ->
        [one] step
       *[other] steps
    } are compared.
since-total = The last run expected { $before } events there in all, this one expects { $now }.
since-up = More is expected now than before in { $count } { $count ->
        [one] place
       *[other] places
    }, most in { $places }.
since-down = Less is expected now than before in { $count } { $count ->
        [one] place
       *[other] places
    }, most in { $places }.
since-still = No forecast moved beyond the noise of the draws.
since-new-places = { $count } { $count ->
        [one] place is
       *[other] places are
    } new in the file since then, with { $events } { $events ->
        [one] event
       *[other] events
    }, most in { $places }.
since-record-same = The record of the time before the last run is unchanged.
since-record-revised = The record of the time before the last run was revised: { $more } events more and { $fewer } fewer, over { $steps } { $steps ->
        [one] step
       *[other] steps
    }. Late records are a reason to distrust the newest counts.

# studies of claims

claims-subtitle = { $weighed } claims weighed together, { $listed } listed and not weighed. The figures of the side “{ $anchor }” are taken not to lean. Answers are middles with 90 % intervals in brackets. Every figure is somebody’s claim; none is taken as true.
claims-footer = groundswell { $version }, seed { $seed }. The same claims, configuration and seed give the same result. Digest of the claims: { $digest }.
claims-not-run = Not run: groundswell study run FOLDER --full.
claims-not-run-anchors = Not run: groundswell study run FOLDER --anchors (each anchor takes about as long as this run did), or --full, which has the other parts too.
claims-ask-cities = How many cities and events?
claims-ask-participants = How many took part?
claims-ask-arrests = How many arrests?
claims-ask-groups = How many organised groups?
claims-asked = { $about }: { $middle } ({ $low } to { $high }); said: { $said }.
claims-asked-about = { $about }: approximately { $middle } ({ $low } to { $high }); said: { $said }.
claims-asked-more = { $count } { $count ->
        [one] other window stands
       *[other] other windows stand
    } in the first table below.
claims-asked-drawn = The first { $drawn } of { $count } windows; the table has all.
claims-section-asked = What the claims ask for, window by window
claims-words-asked = For every quantity, place and window of which a claim speaks: what happened in the model’s histories given all claims (the bar: 50 % and 90 % of them), and what each side said, just above it. An arrow to the right means at least or more than, one to the left at most or less than. Nothing is said here of other days and places: no claim speaks of them.
claims-caption-asked = { $what }: what happened given all claims, with its middle and 90 % interval, and what was said.
claims-table-asked = Every window of which claims speak

claims-ask-lean = How far do each side’s figures lean?
claims-lean-up = Figures of “{ $stance }” for { $kind } lie above what the model finds, by a factor of { $middle } ({ $low } to { $high }).
claims-lean-down = Figures of “{ $stance }” for { $kind } lie below what the model finds, by a factor of { $middle } ({ $low } to { $high }).
claims-lean-open = For { $cells } the claims cannot tell on which side the figures lie.
claims-lean-none = These claims cannot tell for any side and quantity whether the figures lie above or below.
claims-ask-rests-on = On which statements does that rest?
claims-ask-mechanisms = Which mechanisms were at work?
claims-say-needed = The claims need { $names }.
claims-say-unwanted = They are more probable without { $names }.
claims-say-open = They cannot tell about { $names }.
claims-say-mechanisms-missing = Not asked in this run, which weighs one account. groundswell study run FOLDER --full compares accounts with and without each mechanism.
claims-ask-joining = Did joining outpace arrests?
claims-ask-settle = What would settle it?
claims-say-settle = groundswell power FOLDER says what to go and count: how much closer the answers would be with one more source, counts by day or by city, or a second window.
claims-say-joining-open = Not identified. Before any claim the probability is { $prior }; given only “{ $teams }” it is { $given }, for a count of groups broken up says nothing of groups formed. Given only the claim itself (“{ $asked }”) it is { $claim }: the answer is then the claim. With all claims weighed it is { $posterior }.
claims-say-joining-moved = Before any claim the probability is { $prior }; given only “{ $teams }” it is { $given }; with all claims weighed { $posterior }.
claims-say-joining-bare = Before any claim the probability is { $prior }; given only the claim itself (“{ $asked }”) it is { $claim }. No other claim speaks of it, so the answer is the claim.
claims-say-joining-settle = What would settle it is one independent count of both, groups formed and groups broken up: had it found { $formed } and { $broken }, the probability would be { $settled }.

claims-section-cities = How many cities, by day
claims-words-cities = The blue bands hold what happened in the model’s histories given all claims; the grey band is the same before any claim. Each mark is a claim, drawn over the window it speaks of; an arrow up means at least or more than, an arrow down at most or less than. A claim far outside the blue band is one that the other claims, the model and the anchor together contradict; the reporting model then explains it by a lean, a speaker’s habit or chance. Beyond the last claim on a quantity the band is the model’s own, and is drawn pale.
claims-caption-so-far = Cities with protest since the first day, and the claims that count from the first day on.
claims-caption-active = Cities with protest on the day, and the claims on single days.
claims-alt-fan = By { $end } the middle is { $middle } and the 90 % interval { $low } to { $high }.
claims-section-arrests = Arrests and participation, by day
claims-words-arrests = Totals of the whole country since the first day. Claims on single cities are weighed at those cities; they stand in the table of claims. Beyond the last claim on a quantity the band is the model’s own, and is drawn pale.
claims-caption-arrests = Persons arrested at events since the first day.
claims-caption-participants = Participations since the first day: a person at two events counts twice.
claims-section-map = Where
claims-words-map = The share of histories in which a place had seen protest by a date, given all claims. Few claims name cities, so most of the map is the model’s own sense of size, distance and calls: read it as that, not as a list of places.
claims-caption-map = Places with protest by date, given all claims; circles grow with population.
claims-alt-map = Maps by { $dates }; most probable on the last: { $places }.
claims-section-lean = How far each side’s figures lean
claims-words-lean = A factor of 2 means that the figures of a side about a class of quantity lie at twice what the model finds; a half, at half. The figures of “{ $anchor }” are the anchor, at 1 by decision: claims fix only the differences between sides, never the level. The grey bar is what was held possible before.
claims-caption-lean = Factors by which figures exceed what happened in the model, by side and class of quantity: bars 50 % and 90 %, grey before the claims.
claims-alt-lean = Middle factors: { $rows }.
claims-section-anchors = The same under every anchor
claims-words-anchors = What happened is fixed only by whom one chooses not to doubt. These are the main answers under each choice in turn.
claims-anchor-matters = The choice matters for { $answer }: the middle runs from { $low } to { $high }, more than a quarter of the widest 90 % interval (on the log scale).
claims-anchor-idle = The choice does not matter for { $answer }: the middle runs from { $low } to { $high }, no more than a quarter of the widest 90 % interval (on the log scale).
claims-anchor-joining-matters = The choice matters for whether joining outpaced arrests: the probability runs from { $low } to { $high }.
claims-anchor-joining-idle = The choice does not matter for whether joining outpaced arrests: the probability runs from { $low } to { $high }, by no more than 10 points.
claims-caption-anchors = The same answers under each anchor: middle and 90 % interval.
claims-alt-anchors = { $rows }.
claims-ask-counts = Do the counts agree with the model?
claims-say-counts = The source lists { $events } { $events ->
    [one] event
   *[other] events
} after the first day; of histories drawn anew from what was learnt it would have listed { $middle } ({ $low } to { $high }), at { $share } of what happens where it looked.
claims-counts-agree = In all { $count } respects that are compared, its list is one that the model can well produce.
claims-counts-apart = Hard to reconcile with the model: { $rows }.
claims-counts-apart-one = { $what }, { $listed } listed where { $low } to { $high } are expected
claims-counted-events = events
claims-counted-places = places with an event
claims-counted-busiest-day = events on the busiest day
claims-counted-busiest-place = events in the busiest place
claims-counted-later-half = events in the later half of the days
claims-section-counts = A source’s own counts
claims-words-counts = Beside the claims stands a list ({ $file }): { $events } events in { $active } of the { $places } places where its source looked, of { $of } in the study, { $days } place-days after the first day, which is given. There each event is taken to be listed with a chance of { $share }, independently of the others. That share is given and not learnt: run the study under others too. A claim made from the same list is no second source and should be left out.
claims-words-counts-check = Every draw of what was learnt makes a history anew, told nothing of the counts but the first day, and the source lists it. p is twice the share of such lists beyond its own, on the nearer side. The model learnt from these counts, so that p is rather too large: a small one means the more, a large one confirms nothing.
claims-caption-counts = Events listed by day (points), and what would have been listed of histories drawn anew (50 % and 90 %).
claims-alt-counts = { $events } events listed on { $days } days.
claims-counts-exploded = { $count } histories drawn anew exploded (more events on a day than any country has) and are left out of this comparison.
claims-table-counts = What the list comes to, and what was expected of it
claims-table-counts-days = Listed by day
claims-own-priors = This study states priors of its own for { $names }; everything in this report is under these. From what they were moved stands in the table; sds are on the free coordinate of the parameter, that of the log where the range begins at 0.
claims-table-priors = Priors that this study states, and what is declared: middle (90 %)
claims-answer-cities = cities with protest
claims-answer-arrests = arrests
claims-answer-participants = participations
claims-answer-joining = joins per arrest
claims-answer-window = { $what } ({ $place }, { $days })
claims-answer-lean = lean of { $stance }, { $kind }
claims-section-influence = Which statement drives the result
claims-words-influence = Every claim is left out in turn, then all claims of a speaker, of an origin and of a side, and the answers are computed again. A number says by how much an answer would move, measured by its own uncertainty: 1 is one standard deviation, somewhat less than a third of the 90 % interval. A dot says that it stays where it was within noise. A claim that moves nothing is not worthless: another may say the same.
claims-driver = For { $answer } the result rests most on { $id } ({ $said }, { $speaker }): without it the middle would be { $without } instead of { $middle }.
claims-driver-doubtful = For { $answer } the result seems to rest most on { $id } ({ $said }, { $speaker }): without it the middle would be { $way ->
        [up] higher
       *[down] lower
    } than { $middle }; these draws cannot tell by how much.
claims-no-driver = For { $answer } no single claim matters by itself: none moves the middle by more than a quarter of its standard deviation beyond noise.
claims-driver-unknown = For { $answer } this approximate run cannot tell on which claim it rests.
claims-higher = higher
claims-lower = lower
claims-doubtful = Hatched, because the draws given all claims are too unlike those without them to stand for them: { $rows }. Read these rows as a direction, not as a number; --full fits them anew.
claims-doubtful-full = Hatched, because even a fit of its own stayed below its limits: { $rows }. Read these rows as a direction, not as a number.
claims-caption-influence = How far each answer moves when claims are left out, in standard deviations of the answer: blue up, orange down.
claims-alt-influence = { $rows }
claims-without-claim = one claim
claims-without-speaker = a speaker’s claims
claims-without-origin = an origin’s claims
claims-without-side = a side’s claims
claims-by-weights = weights
claims-by-fit = a fit anew
claims-section-judgements = What was put in beforehand, and how far it matters
claims-words-judgements = Each prior, which is what was held possible before any claim, is moved: its middle by one of its standard deviations down and up, its width to two thirds and three halves. So are judgements that have no prior: to what speakers round, how many bounds are merely true and how far they reach, how much of their error claims of one origin share. The longest bars stand on top; the band is the 90 % interval itself. What does not move an answer beyond noise has no bar.
claims-moved-most = For { $answer }, the middle is moved most by { $prior }: { $low } to { $high }. { $few } of { $all } priors and judgements { $few ->
        [one] moves
       *[other] move
    } it by more than a quarter of its standard deviation.
claims-moved-most-doubtful = For { $answer }, the middle seems to be moved most by { $prior }; these draws cannot tell how far.
claims-moved-none = For { $answer }, no prior or judgement moves the middle beyond noise.
claims-caption-judgements = The priors and judgements on which each answer depends most: the middle when each is moved one way (orange) and the other (blue). Hatched: the draws cannot tell.
claims-alt-judgements = { $rows }
claims-prior-median = { $name }: middle
claims-prior-sd = { $name }: width
claims-prior-value = { $name }
claims-prior-table = { $name }
claims-moving-median = the middle of the prior of “{ $name }”
claims-moving-sd = the width of the prior of “{ $name }”
claims-moving-value = “{ $name }”
claims-moving-table = “{ $name }”
claims-section-persons = The same account told of persons
claims-words-persons = The account above counts events by city. Here draws of it happen again to simulated persons, as many as live there, who may be missing because they are in jail or stay away, and who can join only once. They have no names and no traits. That nearly every participation is another person is no finding but an upper bound: nobody here is more inclined to protest than another.
claims-persons-agree = The two accounts agree: the weights that turn one into the other are worth { $worth } of { $draws } draws, and no parameter moves by more than { $sds } of its standard deviation ({ $parameter }).
claims-persons-differ = The two accounts differ: the weights that turn one into the other are worth { $worth } of { $draws } draws, and { $parameter } moves by { $sds } of its standard deviation.
claims-participations = participations
claims-persons-who-took-part = persons who took part
claims-arrests = arrests at events
claims-persons-arrested = persons arrested, with groups too
claims-persons-in-jail-on-the-last-day = persons in jail on the last day
claims-largest-share-of-a-city-that-took-part = largest share of a city that took part
claims-section-mechanisms = Which mechanisms the claims can and cannot tell apart
claims-words-mechanisms = Each account without one mechanism is weighed against the account that has them all: how much more probable are the claims with it? The scale is one of factors: at 0 both are as probable, each step of 1 to the right is a factor of 2.7 for the mechanism (the log Bayes factor). Within the shaded band (a factor of 3) or within two Monte Carlo errors of 0 the answer is: cannot tell.
claims-caption-mechanisms = Evidence for each mechanism, { $replicates } replicates each; bars are two Monte Carlo errors.
claims-alt-mechanisms = { $rows }.
claims-words-moved = What the claims moved within the one account: for each parameter, how far its middle went and how much of its prior spread is left. A parameter that stayed where it was with its full spread is one on which these claims are silent.
claims-silent = Silent on: { $names }.
claims-section-joining = Joining against arrests
claims-words-joining = Groups formed for each group broken up, over the window of the claim, under four states of knowledge. Given a count of groups broken up the curve stays on the prior. Given the claim itself it moves, because the claim says so.
claims-caption-joining = log(joins/arrests) before any claim (grey), given one claim at a time, and given a second series.
claims-alt-joining = Probability that joins exceed arrests: { $rows }.
claims-stage-prior = before any claim
claims-stage-teams = given only { $teams }
claims-stage-ratio = given only { $asked }
claims-stage-settled = an independent count of both
claims-section-each = Every claim beside what the model would have heard
claims-words-each = For each claim: the interval of figures that its speaker would have been expected to state, in the same words, had this claim not been heard (nor others of the same count), and the figure as said. p is twice the share of such figures beyond the one said, on the nearer side. A small p says that the claim is hard to reconcile with all the other claims, the model and the anchor together; not which of them is wrong, and least of all that the speaker is.
claims-small-p = { $below } of { $count } claims { $below ->
        [one] has
       *[other] have
    } a p below 0.1; if everything were as the model has it, one in ten would.
claims-doubtful-p = The p of { $ids } is not to be relied on: the draws given all claims are too unlike those without these. --full fits them anew.
claims-left-together = Left out together, since they come from one count and each would betray the other: { $rows }.
claims-caption-each = Figures as said, and the model’s interval for each (50 % and 90 %) given all the other claims.
claims-alt-each = { $count } claims with intervals.
claims-surprising = Hardest to reconcile with all the others (p below 0.1): { $rows }.
claims-surprising-one = { $id } ({ $said }, { $speaker })
claims-section-listed = Claims that were not weighed, and why
claims-words-listed = They stay in the record. A claim used as setting shapes what the model is given; weighing it too would count it twice.
claims-none-listed = Every claim was weighed.
claims-section-expected = What is expected of figures before any is weighed
claims-words-expected = Of 100 of anything, each speaker is asked what would be said, with every lean, error, slack and rounding drawn from its prior. The anchor leans by nothing; the others may lean either way, by a factor of two or so. A bound stands apart from what it bounds.
claims-caption-expected = Figure over what happened, by side, class and hedge, from the priors alone (50 % and 90 %).
claims-alt-expected = { $count } kinds of figures with intervals of their factor to what happened.
claims-section-provenance = Who repeats whom
claims-words-provenance = { $origins ->
    [one] One origin stands behind several claims.
   *[other] { $origins } origins stand behind several claims each.
 } A figure that is repeated counts once, with the claim named; different figures of one origin share its error.
claims-no-provenance = No two claims have one origin: each counts for itself. If one speaker took a figure from another, give both one origin, or say so in the column cites.
claims-section-method = What was done, and its limits
claims-document = { $short }: { $title }
claims-method-model = The model is mobilisation under repression, by city and day: background, momentum in a place, diffusion between places, nationwide attention, organised groups, calls, and deterrence and backlash by arrests. It says what such a process would look like. No history of it is a record of what happened.
claims-method-reporting = A claim is read as a rounded, leaning, noisy statement of a hidden quantity by a speaker with habits. A bound lies some way from what is known, and one bound in five is taken to be merely true. Claims with one origin share their error, so a figure repeated counts once.
claims-method-direction = Lean counts in the direction of interest: the opposition is taken to gain by larger figures of cities, participants and arrests at events and by smaller ones of groups broken up, the authorities by the reverse. That is a judgement; a lean may come out either way.
claims-method-numbers = { $draws } draws, chosen by weight from { $filters } parameter values, with { $histories } histories in each filter. Effective draws: { $effective }. The log-likelihood varies by { $noise } (sd) between filters at the posterior mean. { $exploded } of { $priors } histories from the prior exploded and are left out of the grey bands.
claims-method-use = Populations, not persons: nothing here can or may be used to find, rank or judge anyone. The intervals hold only if model and reporting model hold, and both leave much out: above all, that events are recorded in some places and not in others.

claims-table-paths = By day
claims-table-lean = Leans
claims-table-anchors = Answers by anchor; leans as factors
claims-table-influence = What is left out, and the answers without it: middle, and shift in standard deviations of the answer
claims-table-judgements = Every prior and judgement, and the middle of each answer when it is moved one way | the other
claims-table-persons = Cities and persons
claims-table-mechanisms = Evidence
claims-table-parameters = Parameters before and after the claims
claims-table-joining = Probabilities
claims-table-grains = To what figures are taken to be rounded
claims-table-each = Claims, predicted figures, sources
claims-table-listed = Not weighed
claims-table-expected = Factors by side, class and hedge
claims-table-provenance = Origins and who told them
claims-table-places = Places

column-left-out = left out
column-claims = claims
column-log-predictive = log probability of it, given the rest
column-pareto = tail of weights (Pareto k)
column-worth = effective draws
column-by = by
column-prior = prior or judgement
column-moved-to = moved to
column-joins-outpace = P(joins exceed arrests)
column-of-cities = of cities, 5 / 50 / 95 %
column-of-persons = of persons, 5 / 50 / 95 %
column-without-it = predicted without it, 90 %
column-p = p without it
column-date = date
column-middle = middle
column-range = 90 %
column-prior-middle = middle before
column-prior-range = 90 % before
column-claim = claim
column-counted = counted
column-listed = listed
column-looked = places looked at
column-declared = declared
column-declared-sd = sd declared
column-own-prior = in this study
column-own-sd = sd in this study
column-class = class
column-qualifier = hedge
column-origin = origin
column-counts-with = counts with
column-shares-with = shares its error with
column-about = about
column-told-by = told by
column-place = place
column-window = window
column-said = said
column-side = side
column-speaker = speaker
column-outlet = outlet
column-stated-on = stated on
column-read-in = read in
column-predicted = predicted, 90 %
column-happened = happened: middle (90 %)
column-rank = rank
column-reason = reason
column-quantity = quantity
column-factor = factor
column-above = P(above)
column-parameter = parameter
column-parameter-name = name
column-unit = unit
column-left = spread left
column-moved = moved, in standard deviations of the prior
column-without = without
column-bayes = log Bayes factor
column-grain = Rounded to
column-exactly = Stated as exact
column-otherwise = Stated otherwise
column-error = Monte Carlo error
column-verdict = verdict
column-given = given
column-probability = P(joins > arrests)
column-answer = answer, middle (90 %) under the anchor
column-cities = cities
column-arrests = arrests
column-region = region
column-population = population
column-share = share of histories

# Parameters of an account of claims in plain words.
parameter-process-background-rate = background events
parameter-process-within-offspring = momentum within a place
parameter-process-between-offspring = spread to other places
parameter-process-between-reach-scale_km = distance that spread reaches
parameter-process-between-reach-decay = how fast spread thins with distance
parameter-process-media-offspring = nationwide attention
parameter-process-organised-rate = events by organised groups
parameter-process-groups-initial = organised groups at the start
parameter-process-groups-recruitment = growth of organised groups
parameter-process-groups-breakup = break-up of organised groups
parameter-process-groups-members = members of a group
parameter-process-groups-warned_per_member_arrested = members warned per arrest
parameter-process-call-rate = events on a day of a call
parameter-process-call-memory = how long a call lasts
parameter-process-deterrence-strength = deterrence by arrests
parameter-process-backlash-strength = backlash against arrests
parameter-process-arrests-per_event = arrests at an event
parameter-process-arrests-overdispersion = unevenness of arrests
parameter-process-arrests-memory = how long arrests are remembered
parameter-process-crowds-median = size of a usual crowd
parameter-process-crowds-spread = unevenness of crowds
parameter-process-scale = weight of a place’s population
parameter-process-keep = how long events are remembered
parameter-process-overdispersion = unevenness of events
parameter-process-warnings_per_arrest = persons warned per arrest
parameter-reporting-bias = leans of the sides
parameter-reporting-bias_by_kind = further leans by class of quantity
parameter-reporting-speaker = habits of speakers
parameter-reporting-slack = distance of bounds from what is known
parameter-reporting-vague = share of bounds that are merely true
parameter-reporting-vague_reach = reach of bounds that are merely true
parameter-reporting-shared_origin = error that one origin shares
parameter-reporting-grains = rounding
parameter-counts-detection = share of events that the source lists
parameter-reporting-bias-of = lean of { $whose }
parameter-reporting-bias_by_kind-of = further lean of { $whose } on { $kind }
parameter-reporting-speaker-of = habit of { $whose }
parameter-reporting-spread-of = random error of { $whose } figures

mechanism-name-within = momentum within a place
mechanism-name-between = diffusion between places
mechanism-name-media = nationwide attention
mechanism-name-organised = organised groups
mechanism-name-call = calls to protest
mechanism-name-deterrence = deterrence
mechanism-name-backlash = backlash

# nowcast: a list that grows

figure-places-so-far = places with a first event so far
figure-on-list = on the list
figure-nowcast = nowcast: listed or not
figure-later-list = with what the later list added
figure-added-later = added by the later list
figure-unlisted = places with a first event that are not listed
figure-delay = days since the first event
figure-share-listed = share listed
figure-delay-prior = before the list is looked at
figure-delay-given = given the list

nowcast-title = What is not on the list yet?
nowcast-subtitle = { $file }, seen { $count } { $count ->
        [one] time
       *[other] times
    }, { $start } to { $end }
nowcast-question-listed = What was listed?
nowcast-question-unlisted = How many places had had a first event but were not listed?
nowcast-question-scores = How does that compare with taking the list as it stands?

nowcast-listed = By { $vintage } the list had held { $entries } places ({ $dated } with the day of their first event), and had been seen { $vintages } { $vintages ->
        [one] time
       *[other] times
    }.
nowcast-unlisted = On { $vintage } another { $low } to { $high } (90 % interval, middle { $middle }) had had a first event and were not listed.
nowcast-unlisted-inside = On { $vintage } another { $low } to { $high } (90 % interval, middle { $middle }) were expected that the list of { $later } would have. It has added { $came }, inside the interval; { $uncounted } more that it added cannot be counted, for want of a day (or of their region on the list).
nowcast-unlisted-outside = On { $vintage } another { $low } to { $high } (90 % interval, middle { $middle }) were expected that the list of { $later } would have. It has added { $came }, outside the interval; { $uncounted } more that it added cannot be counted, for want of a day (or of their region on the list).
nowcast-lower-by-day = On { $vintage }, by day: CRPS { $score }, lower on this one list than { $other } of the better simple rule (“{ $rule }”); were the nowcast right, the rule would be lower in { $share } of such lists.
nowcast-not-lower-by-day = On { $vintage }, by day: CRPS { $score }, not lower on this one list than { $other } of the better simple rule (“{ $rule }”); were the nowcast right, the rule would be lower in { $share } of such lists.
nowcast-lower-by-region = On { $vintage }, by region: CRPS { $score }, lower on this one list than { $other } (“{ $rule }”, which would be lower in { $share }).
nowcast-not-lower-by-region = On { $vintage }, by region: CRPS { $score }, not lower on this one list than { $other } (“{ $rule }”, which would be lower in { $share }).
nowcast-lower-places = On { $vintage }, place by place: Brier score { $score }, lower on this one list than { $other } (“{ $rule }”).
nowcast-not-lower-places = On { $vintage }, place by place: Brier score { $score }, not lower on this one list than { $other } (“{ $rule }”).
nowcast-one-list = One list cannot show whether a lower score is more than chance.

nowcast-one-vintage = On { $vintages } the list had been seen once. One look shows no entry arriving, so how long entries take is borrowed from the prior, moved only by the shape of the stated days; the width of the interval is mostly that of the prior.
nowcast-late = A list seen over a few days cannot show entries that come weeks later. Their share and pace stay at their priors (“spread left” near 1 in the table of parameters); the upper end of every interval leans on that.
nowcast-open = Any number of places in a region may have had their first event: { $units } regions, no list of places, and so no probability for a single place.
nowcast-closed = Only the { $units } places of the given universe are counted; smaller places, and those whose name was not found, are not.
nowcast-stated = The day of the first event is taken as the list states it, and to be stated or not by chance. A day may be wrong or belong to something else, and the first event that a list knows of need not be the first.
nowcast-one-wave = All scores here come from one wave and one list; nowcasts of neighbouring days share most of their places. They show that the method works here, not how often it would.
nowcast-recorded = What is counted is what such a list would come to record. Places that nobody ever reports are in no figure.

nowcast-section-data = What the list held
nowcast-section-nowcast = The nowcast
nowcast-section-regions = By region
nowcast-section-places = Place by place
nowcast-section-scores = Against the later list
nowcast-section-delays = How long entries take
nowcast-section-limits = What this cannot tell
nowcast-section-left-out = What was left out, and judgements
nowcast-words-data = A name that leaves the list stays listed here: names are changed and entries moved to pages of their own. “Gone since” counts them.
nowcast-words-scored = Each nowcast knows only what the list had shown by its day. It counts places with a first event by each day that were not listed but are on the later list, so that it can be set against that.
nowcast-words-unscored = Places with a first event by each day, listed or not, whether or not they will ever be listed. The last days rest most on the nowcast, for hardly anything of them is listed yet.
nowcast-words-places = The probability that a place without an entry has had its first event, given its population, its share of the persons within 40 km, its region and the list. It is about populations and records: no claim about any person, and no evidence that something happened there.
nowcast-words-scores = Losses, lower is better, against the list of { $later }. “Listed is all” takes the list as complete; “grows as before” divides it by how complete earlier vintages have proved at the same age. “Would win”: were the nowcast right, the share of its own draws on which the rule would have the lower CRPS. Cells by day are sums of the same places and stand or fall together.
nowcast-words-delays = The chance of being on the list, by days since the first event, for a place without effects of its own: grey before the list is looked at, blue given what was seen by the vintage. Where blue fills the grey, nothing was learnt.
nowcast-seen-on = seen on { $vintage }
nowcast-caption-fan = Places with a first event by day. Grey: on the list; entries without a day are put on a probable one. Blue: the nowcast (bands 50 % and 90 % of draws, line the middle).
nowcast-caption-fan-scored = Places with a first event by day, as seen on each vintage. Grey: on the list; entries without a day are put on a probable one. Blue: the nowcast (bands 50 % and 90 % of draws, line the middle). Dots: the grey with what the later list added.
nowcast-caption-regions = Places not listed on { $vintage }, by region: 50 % and 90 % of draws and the middle. The { $shown } of { $count } regions with most expected.
nowcast-alt-regions = Most expected: { $regions }.
nowcast-caption-delays = Share of places listed by delay: middle and 90 % range.
nowcast-table-vintages = The list by vintage
nowcast-table-by-day = Nowcast by day, counted from the first
nowcast-table-by-region = Nowcast by region
nowcast-table-places = Not listed on { $vintage }, most probable first: { $shown } of { $count }; all are in { $file }
nowcast-table-scores = Scores
nowcast-table-delay = Share listed by delay
nowcast-table-parameters = Parameters before and after
nowcast-table-left-out = Left out
nowcast-table-assumed = Judgements
nowcast-nothing-left-out = Nothing was left out.
nowcast-footer = Seed { $seed }. The same list, configuration and seed give the same result.
column-from = from
column-expected = expected
column-middle-half = middle half
column-nine-tenths = nine tenths
column-any = any event
column-any-next = any event, next step
column-recorded = recorded
column-recorded-before = recorded, as many steps before
column-before = last run
column-now = now
column-change = change
column-noise = noise
column-any-before = any event, last run
column-any-now = any event, now
column-of = of

# fit --check: a fit beside its own counts

check-scope = { $cells } { $cells ->
        [one] count
       *[other] counts
    } by place and step, each set beside the distribution that the fitted model gives it from the steps before.
check-without = { $cells } { $cells ->
        [one] count is
       *[other] counts are
    } not among them: the model is certain of no event there.
check-coverage-right = { $covered } of the counts lay inside the central { $level } interval, where the model promised { $promised }: within chance.
check-coverage-narrow = { $covered } of the counts lay inside the central { $level } interval, where the model promised { $promised }: beyond chance, its intervals are too narrow.
check-coverage-wide = { $covered } of the counts lay inside the central { $level } interval, where the model promised { $promised }: beyond chance, its intervals are wider than need be.
check-coverage-unsure = { $covered } of the counts lay inside the central { $level } interval, where the model promised { $promised }; so few steps cannot tell whether that is chance.
check-test-right = Calibration test by the ranked probability score (Wei and Held 2014): z = { $z }, p { $p }. The counts surprise the model about as much as it expects.
check-test-more = Calibration test by the ranked probability score (Wei and Held 2014): z = { $z }, p { $p }. The counts surprise the model more than it expects: it is too narrow, or off in level.
check-test-less = Calibration test by the ranked probability score (Wei and Held 2014): z = { $z }, p { $p }. The counts surprise the model less than it expects: it is too wide.
check-memory-right = Pearson residuals of successive steps of a place have a correlation of { $value }; independent ones stay within { $within } of 0 in 95 of 100 cases. The model leaves no memory from one step to the next.
check-memory-more = Pearson residuals of successive steps of a place have a correlation of { $value }; independent ones stay within { $within } of 0 in 95 of 100 cases. After more events than expected more come again: a memory or a slow change that the model does not have.
check-memory-less = Pearson residuals of successive steps of a place have a correlation of { $value }; independent ones stay within { $within } of 0 in 95 of 100 cases. After more events than expected fewer come: the model passes on too much from one step to the next.
check-loo = Leaving out one count after the other (PSIS-LOO), the expected log density is { $elpd } (standard error { $error }) over { $units } counts; a fit of another model to the same counts is better if its own is higher.
check-in-sample = The model was fitted to these same counts, which makes all of this too kind: what is found wrong is wrong, and what is found right may fail on dates that the fit has not seen. compare and forecast with a report judge on such dates.

# single events: what was made of a table

times-by-step = Times are known to the day only: counts by day and place are weighed (by_step), in which events of a day have no order.
times-by-steps = Times are known to the day or less closely: counts by place and steps of { $days } days are weighed (by_step), in which events of a step have no order.
times-by-day = Times are known to the day only: each event was moved to a random moment of its day; try several seeds.
times-not-exact = { $count } of { $total } times are known to a minute, an hour, a day or several: each of these events was moved to a random moment of that stretch; try several seeds.

plane-region-file = Region: { $area } km², from the given outlines.
plane-region-countries = Region: { $area } km², the outlines of { $countries } and { $wider } km around (Natural Earth 1:50 million is some km off at coasts and borders). Parts without an event are left out.
plane-region-hull = Region: { $area } km², a guess: the convex hull of the events and { $wider } km around it. Where events could have been seen is not in the file, and what is triggered beyond the edge is allowed for by it; give the outlines (--region) where they are known.
plane-cells = The region is cut into { $cells } cells, squares of { $km } km.
plane-areas = The region consists of { $cells } areas, as its outlines name them.
plane-density = The endemic rate goes with the density of people: the gazetteer’s places in each cell, and { $even } persons per km² everywhere for those who live in none of them (towns below 15,000, villages).
plane-no-density = No density of people is known where positions are km, so the endemic rate is per km² alone.
plane-steps = Endemic rates are constant within steps of { $days } days.
plane-jitter = Each event was moved to a random point within { $km } km of its position: distances below some { $km } km are chance; try several seeds.
plane-mark = The mark { $mark } enters less its mean of { $mean }.
plane-threshold = Events count from { $mark } { $threshold } on, the least in the file. Above it they are taken as all recorded; small events that went unseen after a large one make delays too long.
plane-outside = { $count } events outside the region may set off events inside; they are not weighed themselves.
plane-kinds = { $count } kinds, each triggering its own kind only: { $kinds }.
plane-limits = Nothing is taken to be triggered further than { $km } km or later than { $days } days (furthest_km and longest_days in [components.offspring] of a --config file).

# events: a fit of single events, told whole

figure-triggered = set off by earlier ones
figure-own-accord = without a parent
figure-share-triggered = share set off by earlier ones
figure-within-days = days after the event
figure-within-km = km from the event
figure-share-offspring = share of what it sets off
figure-each-event = each event
figure-smoothed = share nearby
figure-cluster-size = events
figure-clusters = clusters of so many events

events-title = What set off what? { $model } fitted to { $events } events
events-subtitle = { $file }, { $start } to { $end }
events-question-data = What was read?
events-question-triggering = Do events set off others?
events-question-kernels = How late, and how far?
events-question-background = And if the background moves by itself?

events-data = { $events } { $events ->
        [one] event
       *[other] events
    } in { $places } { $places ->
        [one] place
       *[other] places
    }, { $start } to { $end }; { $left } left out, { $assumed } placed by a judgement.
events-data-plane = { $events } { $events ->
        [one] event
       *[other] events
    } at positions on a map, { $start } to { $end }; { $left } left out.
events-ratio-below = An event directly sets off { $value } others on average (90 % interval { $low } to { $high }). That is below 1: by itself a wave dies out.
events-ratio-above = An event directly sets off { $value } others on average (90 % interval { $low } to { $high }). That is above 1: while it lasts, events grow without bound.
events-ratio-unsure = An event directly sets off { $value } others on average (90 % interval { $low } to { $high }). The interval holds 1, so these events cannot tell growth from decay.
events-ratio-open = As fitted an event directly sets off { $value } others on average. These events do not determine that number, so it has no interval; how large it may be, a profile tells (infer.profile of { $names }).
events-mark = An event whose { $mark } is higher by 1 sets off { $value } times as many (90 % interval { $low } to { $high }).
events-size = A crowd ten times as large sets off { $value } times as many events (90 % interval { $low } to { $high }).
events-share = Of the { $events } events { $value } (90 % interval { $low } to { $high }) are taken as set off by earlier ones, the others as needing none.
events-hardly = Of the { $events } events { $value } (90 % interval { $low } to { $high }) are taken as set off by earlier ones: hardly any. Delays and distances of so few mean nothing and are not shown.
events-hardly-open = As fitted { $value } of the { $events } events were set off by earlier ones, hardly any. Delays and distances of so few mean nothing and are not shown.
events-clusters = { $alone } of all clusters are one event alone; the largest has { $low } to { $high } events.
events-delay = Half of what an event sets off comes within { $value } days (90 % interval { $low } to { $high }), nine tenths within { $most } days.
events-delay-slow = Half of what an event sets off comes within { $value } days (90 % interval { $low } to { $high }); nine tenths have not come within the { $most } days of the window.
events-delay-within-day = By the fit nine tenths of what an event sets off come within the day ({ $most } days; half within { $value }, 90 % interval { $low } to { $high }). Dates without times of day cannot show that: all they say is that little comes on later days.
events-delay-open = How late that comes these events do not determine ({ $names }).
events-reach-open = How far it goes these events do not determine ({ $names }).
events-reach = Half of it comes within { $value } km (90 % interval { $low } to { $high }), nine tenths within { $most } km.
events-reach-cities = { $own_value } of it (90 % interval { $own_low } to { $own_high }) comes in the event’s own place, { $near_value } ({ $near_low } to { $near_high }) within { $km } km.
events-reach-own = The model keeps all that an event sets off in its own place.
events-moving-same = With a background that may differ between { $pieces } stretches of { $days } days an event sets off { $value } others within so many days ({ $sure ->
        [no] a number that these events do not determine
       *[yes] 90 % interval { $low } to { $high }
    }), much as with the background as fitted ({ $before }); the log density gains { $gain } by { $terms } further { $terms ->
        [one] parameter
       *[other] parameters
    }.
events-moving-less = With a background that may differ between { $pieces } stretches of { $days } days an event sets off { $value } others within so many days ({ $sure ->
        [no] a number that these events do not determine
       *[yes] 90 % interval { $low } to { $high }
    }) instead of { $before }; the log density gains { $gain } by { $terms } further { $terms ->
        [one] parameter
       *[other] parameters
    }. Whether the difference is triggering or a cause that moved by itself, these events cannot tell.
events-moving-more = With a background that may differ between { $pieces } stretches of { $days } days an event sets off { $value } others within so many days ({ $sure ->
        [no] a number that these events do not determine
       *[yes] 90 % interval { $low } to { $high }
    }), more than { $before } with the background as fitted; the log density gains { $gain } by { $terms } further { $terms ->
        [one] parameter
       *[other] parameters
    }.
events-moving-open = With it { $names } are not determined, and no interval holds that doubt.
events-moving-better = By AIC the moving background is the better description of these events.
events-moving-failed = With a background that moves the fit found no answer: { $reason }
events-contagion-contagion = Set against a background that moves at random over { $days } days, with the model’s priors, triggering has a probability of { $triggering } and a moving background one of { $movement }: contagion, unless something moved faster.
events-contagion-no-contagion = Set against a background that moves at random over { $days } days, with the model’s priors, triggering has a probability of { $triggering } and a moving background one of { $movement }: no contagion.
events-contagion-cannot-tell = Set against a background that moves at random over { $days } days, with the model’s priors, triggering has a probability of { $triggering } and a moving background one of { $movement }: these events cannot tell.
events-contagion-failed = Contagion could not be weighed against a background that moves at random: { $reason }

events-limit-cause = That events follow each other is no proof that one caused the other. “Set off” means: the model expects the event because of earlier ones near it; a cause that they share looks the same.
events-limit-background = The model’s background is smooth. What raises events in many places at once (a call, a holiday, news), or in one place for a while, is taken for triggering unless the model has a part for it.
events-limit-days = Some or all times are known to the day only, so what an event sets off within a day cannot be seen; delays shorter than a day rest on the shape of the model.
events-limit-recorded = Only recorded events count. Where a source lists one event more readily after another (it looks there), or misses small ones, that is in every figure. Triggering by events that nobody recorded is taken for background.
events-limit-quiet = Only places with at least one event in the file are in the study (unless all of the gazetteer’s were asked for), so rates by place are too high.
events-limit-hull = The region is a guess around the events, and how much is triggered beyond its edge depends on it.
events-limit-rounded = { $count } of { $total } events stand at the position of another. Positions rounded to towns pull the reach towards 0.
events-limit-cut-days = Triggering is cut off after { $days } days and has not come to an end by then: the delays are as long as the limit lets them be. Raise longest_days.
events-limit-cut-km = Triggering is cut off at { $km } km and has not come to an end there: the distances are as far as the limit lets them be. Raise furthest_km.
events-limit-open = The data do not determine { $names }; intervals and bands here leave that doubt out.

events-section-data = Where and when
events-section-time = What was set off, over time
events-section-places = What was set off, place by place
events-section-map = What was set off, on the map
events-section-kernels = How late, and how far
events-section-clusters = Clusters
events-section-background = A background that moves
events-section-model = The fitted model
events-section-limits = What this cannot tell
events-section-left-out = What was left out
events-words-time = Given the fit each event has a probability of having been set off by earlier ones. Dark: expected numbers of those. Below: their share, with an interval that holds the doubt about the parameters and about which event set off which.
events-words-places = The share of each place’s events that earlier ones set off, in the same place or elsewhere.
events-words-map = Left, or above: each event by the probability that an earlier one set it off. Right, or below: the share of such events nearby; blank where there are few.
events-words-kernels = How much of what an event sets off has come after so many days, and within so many kilometres. Bands: 90 %.
events-words-clusters = An event without a parent and all that go back to it are a cluster. Numbers are averages over { $draws } draws of who set off whom, with the middle 90 % of them.
events-words-model = { $status }
events-caption-map = Places with events; the area of a dot grows with their number.
events-caption-record = Recorded events.
events-caption-time = Events by stretch of time, and the share set off by earlier ones.
events-caption-places = Share of a place’s events that earlier ones set off (colour) and its number of events (area).
events-caption-plane = Probability that an earlier event set off each one, and the share nearby.
events-caption-contagion = Probability of each candidate, given the events.
events-caption-kernels = Share of what an event sets off, by delay and by distance.
events-caption-clusters = Clusters by their number of events (log scale).
events-alt-time = Share set off by earlier ones in the first stretch { $first }, in the last { $last }.
events-alt-places = Most events: { $rows }.
events-table-time = By stretch of time
events-table-places = By place
events-table-delays = Share by delay
events-table-reaches = Share by distance
events-table-clusters = Clusters by size
events-table-backgrounds = Backgrounds
events-table-contagion = Four candidates, equally likely before
events-table-contagion-by-movement = Log evidence by how the background moves
events-table-parameters = Estimates
events-table-events = Event by event

figure-right-model = what 95 of 100 right models stay within, all along
figure-transformed = transformed time: events expected so far
figure-more-than-expected = events beyond expectation
figure-waits-expected = rank of the waiting time, as a share
figure-waits-seen = probability of so short a wait
figure-points-of = { $points } of { $expected }
figure-days-since = days since { $date }
figure-kept-events = events that were kept
figure-added-points = points that were added
figure-apart-km = km apart
figure-excess-neighbours = neighbours beyond chance (L, km)
figure-candidate-steady = steady background
figure-candidate-moving-background = moving background
figure-candidate-contagion = contagion
figure-candidate-both = contagion and moving background
figure-candidate-weight = probability, the four being equally likely before
events-question-checks = Does the model suit the events?
events-section-checks = Does the model suit the events?
events-words-checks = Measured in events that the model expects, time runs so that a right model’s events come at an even pace, by chance alone (time rescaling). And if events are thinned where many are expected, and points added where few are, what is left of a right model is even over time and space (super-thinning).
events-words-checks-counts = Given the counts of earlier steps the model gives each count of a place a distribution. Where the counts stand in theirs should be spread evenly, and chance alone should lead from one step to the next and from place to place. Times within a step are not used.
events-fits = None of { $tests } tests finds fault with the model.
events-misfits = { $count } of { $tests } tests { $count ->
        [one] finds
       *[other] find
    } fault with the model; of a right one about one in twenty would.
events-misfit-waiting-times = Waits between events are not as the model expects: too many are short or long (p { $p }).
events-misfit-times = Events drift over the window against what the model expects: too many early, late or in between (p { $p }).
events-misfit-serial-more = Short waits follow short ones and long ones long: bursts, or a slow change, are left (p { $p }).
events-misfit-serial-less = Short waits follow long ones more than by chance (p { $p }).
events-misfit-dispersion-more = Counts vary more than the model expects: clustering is left (p { $p }).
events-misfit-dispersion-less = Counts vary less than the model expects: it clusters too much (p { $p }).
events-misfit-number-more = There are more events than the model expects (p { $p }).
events-misfit-number-less = There are fewer events than the model expects (p { $p }).
events-misfit-points-number = There are more or fewer residual points than the model expects (p { $p }).
events-misfit-points-time = Residual points are uneven over time (p { $p }).
events-misfit-points-place = Residual points are uneven over places: some have more events than the model gives them, some fewer (p { $p }).
events-misfit-points-pairs = Residual points that are near each other are near in time too: events set off more, nearby and soon, than the model knows of (p { $p }).
events-misfit-points-space = Residual points are uneven on the map: the background does not follow where events are (p { $p }).
events-misfit-counts-counts = Counts do not stand in their distributions as they should: too many are high, low or in the middle (p { $p }).
events-misfit-counts-number-more = There are more events than the model expects (p { $p }).
events-misfit-counts-number-less = There are fewer events than the model expects (p { $p }).
events-misfit-counts-dispersion-more = Counts vary more than the model expects: clustering is left (p { $p }).
events-misfit-counts-dispersion-less = Counts vary less than the model expects: it clusters too much (p { $p }).
events-misfit-counts-serial-more = After more events than expected in a place more come in the next step: a memory, or a slow change, is left (p { $p }).
events-misfit-counts-serial-less = After more events than expected in a place fewer come in the next step: the model passes on too much (p { $p }).
events-misfit-counts-together-more = Places have more events, or fewer, in the same step: a cause that they share, or what is set off elsewhere within the step, which the model counts in the next (p { $p }).
events-misfit-counts-together-less = Where one place has more events than expected, others have fewer in the same step (p { $p }).
events-misfit-counts-places = Some places have more events than the model gives them, some fewer (p { $p }).
events-tests-undefined = Not to be worked out for these events, and left out: { $names }.
events-tests-failed-times = The tests of the times could not be made: { $reason }
events-tests-failed-counts = The tests of the counts could not be made: { $reason }
events-tests-failed-points = The tests of residual points could not be made: { $reason }
events-tests-lost = No history could be drawn from the fit and fitted again: { $reason }
events-tests-naive = The p-values are naive, which is to say too kind: the model was fitted to these same events. A fault found is a fault; that none is found may say little (--replicates 99 gives fair ones for the times or counts).
events-tests-simulated = The p-values for the times come from histories drawn from the fit and fitted again; those of residual points are naive, too kind.
events-tests-simulated-counts = The p-values come from histories drawn from the fit and fitted again.
events-caption-pit = Where the counts stand in the distributions that the model gave them: equal shares if it is right. Lines: 90 % intervals.
events-caption-autocorrelation = Correlation of a place’s counts, as they stand in their distributions, with those some steps later.
events-caption-residuals = Left: events more than expected so far, with the band that holds all of a right model’s curve in 95 of 100 cases. Right: waits between events against what they should be, with such a band.
events-caption-ripley = How much more residual points cluster than even ones would, by distance.
events-table-test-times = Tests of the times
events-table-test-counts = Tests of the counts
events-table-counts-pit = Shares by where counts stand
events-table-counts-autocorrelation = Correlation by steps apart
events-table-test-points = Tests of residual points
events-table-ripley = Clustering left by distance
events-table-counts-in-band = Events counted against those expected
events-table-waits-in-band = Waits in order

# simulate --show: a run to play again

state-empty = empty
state-quiet = quiet
state-active = active
state-jailed = jailed
state-officer = officer
state-first-quiet = first group, quiet
state-first-active = first group, active
state-second-quiet = second group, quiet
state-second-active = second group, active
state-out = not taking part
state-joined = taking part
state-place = place
state-reached = place with { $series } before
state-now = { $series } at this step, by area

series-active = active
series-quiet = quiet
series-jailed = jailed
series-arrests = arrests
series-events = events
series-new = new
series-first = first group
series-second = second group
series-killed_first = killed, first group
series-killed_second = killed, second group
series-born = born
series-died = died of age
series-participants = participants
series-groups = groups
series-members = members of groups
series-joined = joined groups
series-formed = groups formed
series-broken_up = groups broken up
series-warned = warned
series-members_arrested = members arrested
series-members_warned = members warned

replay-subtitle-grid = { $model }, seed { $seed }: a thought experiment played step by step, not a picture of any real place.
replay-subtitle-map = { $model }, seed { $seed }: one draw of a model on a map. None of it happened.
replay-no-script = This page needs its own script, which is switched off here. The animation file and the tables beside it show the same run.
replay-controls = Playing
replay-play = Play
replay-pause = Pause
replay-back = one step back
replay-on = one step on
replay-scrubber = step
replay-speed = speed
replay-steps-a-second = { $speed } steps/s
replay-step = Step { $step } of { $last }
replay-before = Before the first step
replay-axis = step
replay-copied = Copied.
replay-other = The link speaks of another run than this file holds. To make that one: { $command }
replay-alt-grid = The grid at the step shown; the table further down gives the counts.
replay-alt-map = The map at the step shown; the table further down gives the totals.
replay-alt-chart = Counts by step, with a line at the step shown; the table further down gives the numbers.
replay-torus = The grid wraps around: each edge meets the opposite one.
replay-order = One cell a person, row by row, the lowest threshold first.
replay-persons = One cell a person, row by row, by their numbers; ties are not drawn.
replay-nodes = One cell a node of the network, row by row, by number; ties are not drawn. Where several stand at a node, an officer hides the others, an active person the quiet ones.
replay-cut = Only the top left { $rows } × { $columns } of the grid’s { $down } × { $across } cells are shown, so that the page stays small enough to open; the counts are of the whole grid.
replay-thinned = One picture in { $every } is kept, so that the page stays small enough to open; the counts are of every step.
replay-map = A circle’s area is the count at the step, the largest of the run being the largest circle. Steps of { $days } { $days ->
        [one] day
       *[other] days
    } from { $start }.
replay-outburst = an outburst starts: more than 50 active
replay-again = The same run again
replay-copy = Copy the command
replay-link = Copy a link to this step
replay-parameters = All { $count } parameters and rules
replay-table = The counts as a table
replay-table-every = One step in { $every }; all of them are in history.csv.
replay-column-step = step
replay-column-parameter = name
replay-column-value = value
replay-column-unit = unit
replay-column-meaning = meaning
replay-keys = Keys
replay-keys-are = Space: play or pause. Left and right: one step. Page up and down: ten steps. Home and End: first and last. + and −: faster and slower. A click on the chart goes to its step.
replay-paper = After { $paper }.

# coordination: called, or spread?

coordination-title = Were protests called, or did they spread?
coordination-subtitle = { $file }, { $start } to { $end }
coordination-question-data = What was read?
coordination-question-answer = What made so many places protest at once?
coordination-question-trust = How much does such a record tell?

coordination-once = Only the first day of each place counts: { $events } events.
coordination-verdict = The answer is { $name }, with probability { $probability }. Of simulated records like this one with such a verdict, { $wrong } were made by another of the explanations (95 % interval { $low } to { $high }; the bound is { $bound }).
coordination-unsure = Cannot tell. The likeliest is { $name }, with probability { $probability }; a verdict needs { $level }.
coordination-often-wrong = Cannot tell. { $name } has probability { $probability }, but of simulated records like this one with such a verdict, { $wrong } were made by another of the explanations, and it may be { $high }; the bound is { $bound }.
coordination-never-so-sure = Cannot tell. { $name } has probability { $probability }, but no simulated record got such a verdict, so nothing is known of how often it would be wrong.
coordination-only-unlike = Cannot tell. { $name } has probability { $probability } among the explanations, but its own records are not like this one.
coordination-unweighed = Not weighed: { $name }. Fitted to this record, too few of its draws ({ $share }) have about as many events, so probabilities and error rates are among the others.
coordination-unrivalled = Cannot tell. Of the explanations that could be weighed { $name } has probability { $probability }, but not all could.
coordination-left = Not ruled out: { $names }.
coordination-ruled-out = Ruled out, with how often records that it made had it ruled out all the same: { $names }.
coordination-unlike = Of the records that { $name } makes, { $share } lie as far from their middle as this one: something is missing in it.
coordination-like = Records like this one are made by: { $names }.
coordination-like-none = None of the explanations makes records like this one; their probabilities are relative to each other alone.
coordination-bits = A record of this size tells { $bits } bits (Monte Carlo error { $error }) of the { $most } that would settle which explanation made it.

coordination-limit-causes = The explanations are few and pure. A mixture of them, or a cause that is none of them, is given to the one whose records it looks most like.
coordination-limit-one-day = An outside event that sets off all places on one day looks like a call: counts cannot tell who, or whether anybody, called. Calls whose dates are known can be given (--call).
coordination-limit-every-week = Calls for the same weekday in most weeks are a rhythm of the week: counts cannot tell a call that is made every week from a habit.
coordination-limit-region = A cause that moves from region to region, or that is at work in one region for some days, looks like spread. So does a press that notices near places one after the other.
coordination-limit-recorded = Counts are of recorded events. Attention that makes more of the same protest recorded looks like news of events everywhere.
coordination-limit-given = The dates of the calls were given. If they were found by looking at these counts, “calls” is favoured by that.
coordination-limit-no-weeks = The record is shorter than three weeks, so the rhythm of the week was not among the explanations.
coordination-limit-no-positions = The places have no positions, so spread from place to place was not among the explanations.

coordination-section-chances = Which explanation
coordination-section-errors = How often such answers are wrong
coordination-section-measures = What the answer rests on
coordination-section-limits = What this cannot tell
coordination-section-left-out = What was left out
coordination-words-chances = Each explanation was fitted to the record; a classifier learnt from up to { $records } simulated records of each, of about this size (within a factor of 2), which makes which. All explanations are equally likely before.
coordination-words-errors = The same classifier, on simulated records that it was not taught by: rows are what made a record, columns what was said of it. A verdict needs a probability of { $level }.
coordination-words-reliability = Claimed probability against how often it came true, over the same records: on the line, a claimed 70 % comes true 7 times in 10. Bars: 95 % intervals.
coordination-words-measures = The numbers that a record is reduced to, beside their medians over the simulated records of each explanation.
coordination-caption-chances = Probability of each explanation.
coordination-caption-days = Recorded events by day.
coordination-caption-errors = Verdicts on simulated records, by what made them.
coordination-caption-reliability = Calibration on records that were not learnt from.
coordination-table-probabilities = Probabilities; how often an explanation is wrongly ruled out; share of its records that lie as far out as this one
coordination-table-confusion = Verdicts by truth
coordination-table-reliability = Claimed and came
coordination-table-measures = Measures
coordination-table-parameters = The fitted explanations
coordination-table-days = Events by day
coordination-footer = Seed { $seed }. The same file, configuration and seed give the same result.

figure-verdict-needs = a verdict needs
figure-probability-of-explanation = probability, all equally likely before
figure-truth = made by
figure-verdict = verdict
figure-claimed = claimed probability
figure-came = how often it came true
figure-bits = share of the question that a record settles, whether the mechanism was at work (in bits; 1 is all)

# power: what to go and count

power-title = What to go and count: { $title }
power-subtitle = { $records } simulated records of each account, { $claims } claims in each; parameters from the { $parameters }
power-question-now = How often can a record like this tell?
power-question-next = What should be counted next?
power-question-numbers = What would narrow the numbers?

power-now = With and without { $left_out }: { $right } told apart correctly, { $wrong } wrongly, { $cannot } cannot be told. Such a record settles { $bits } of the question.
power-best = Best of the { $count } additions tried: { $counts }. It helps most about { $most }: there { $before } of the records are told apart correctly now, { $after } with it. Over all mechanisms together it settles { $gain } (Monte Carlo error { $error }) more of the questions, each counted as 1.
power-none = None of the additions tried ({ $count }) tells more of the mechanisms than the record does as it is, beyond Monte Carlo error.
power-nothing-tried = No addition was tried.
power-narrows = { $answer }: { $counts } leaves a typical error of a factor of { $factor }, instead of { $now } as the record is.
power-narrows-none = { $answer }: no addition narrows it by a tenth.

power-section-pairs = By mechanism and addition
power-section-answers = How closely numbers are pinned
power-section-trust = What the shares are worth
power-section-limits = What this cannot tell
power-words-pairs = Histories are drawn from the whole account and from the account without a mechanism, and the speakers of the record make their claims of them, with new figures. “Told apart” means that the odds between the two accounts, equally likely before, are beyond 3 to 1 (a log Bayes factor of { $threshold }). Each addition is answered by the same histories, so that additions are compared on the same luck.
power-words-answers = The typical error (one standard deviation, as a factor) that the figures leave of a number, by regression over the simulated records, with each addition: an upper bound on what a full analysis would leave.
power-words-trust = The odds come from a classifier that learnt from the simulated records; all shares are of records that it did not learn from. Claimed probabilities against how often they came true:
power-limit-classifier = The classifier stands for the exact evidence, which takes a minute a record. It cannot see more than the exact evidence does, so shares told apart are, if anything, too low.
power-limit-prior = Parameters come from their priors: the records are of any wave that the priors hold possible, smaller and larger than yours. Give the result of a study run (--given) for waves like yours.
power-limit-posterior = Parameters come from the posterior of an earlier run, each by itself, for both accounts: the question is what a record of another wave like this one would tell. Without the mechanism the other parameters might have come out otherwise.
power-limit-counts = The study’s own counts are in every record, by { $count } numbers that sum them up: events, places, the busiest day and place, and the later half. The full analysis weighs every place and day, so with them too shares are, if anything, too low.
power-limit-exploded = Draws with more events than any country has are left out: { $share } of them.
power-limit-reporting = New sources are taken to be as good as the model of reporting says of their side. A count that is worse, or leans otherwise, tells less.
power-caption-designs = How much of each question a record settles, by addition. Bars: two Monte Carlo errors.
power-caption-reliability = Calibration on records that were not learnt from.
power-table-pairs = Told apart, by mechanism and addition
power-table-designs = The additions
power-table-answers = What is left open of each number, by addition
power-column-number = number
power-column-counted = record
power-column-factor = typical error, as a factor
power-column-give = Monte Carlo error
power-column-before = without any figure
power-footer = Seed { $seed }. The same study, configuration and seed give the same result.
