# Every sentence of a report, in English. Keys: page-* the frame, figure-* words inside pictures,
# then one prefix a study.

page-answers = What the report says
page-contents = Contents
page-figure = Figure { $number }.
page-flagged = This run stays below its own limits; read it as a draft.
page-table = The figures as a table

figure-prior = before the claims
figure-posterior = given the claims
figure-median = median
figure-range = { $share } of draws
figure-observed = observed
figure-claim-cell = { $id }  { $said }, { $speaker }
figure-cities-active = cities with protest on the day
figure-cities-so-far = cities with protest so far
figure-arrests-so-far = arrests so far
figure-participants-so-far = participations so far
figure-said = as said
figure-expected = what the model expects to be said
figure-happened = what the model holds to have happened
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
figure-events = events
figure-skill = skill against { $reference } (above 0 is better)
figure-score = { $score }, lower is better
figure-parts = expected events by cause

# compare: models on a file of events

words-and = { $first } and { $last }

compare-title = What drove these events? { $count } forecasters compared
compare-subtitle = { $file }, { $start } to { $end }
compare-question-data = What was read?
compare-question-best = Which model forecasts best?
compare-question-reference = Is any better than resampling the recent past?
compare-question-mechanisms = Which mechanisms were at work?

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
compare-intervals = Intervals ({ $level }) resample the { $dates } target dates in blocks of { $block }.
compare-intervals-rough = Intervals ({ $level }) resample the { $dates } target dates in blocks of { $block }; with so few blocks they are rough and tend to be too short.
compare-too-few-dates = There are { $dates } target dates: too few for intervals, so no two models can be told apart.
compare-limit-quiet-places = Only places with at least one event in the file are in the study, so every model knows which places would be active at some time.
compare-limit-days = Dates are known to the day: for the models of single events each event was moved to a random moment of its day (seeded), so triggering within a day cannot be learnt.
compare-limit-recorded = Counts are of recorded events: more coverage by the press looks like more protest, as in any such record.

mechanism-earns-its-keep = { $mechanism }: earns its keep (log gain { $low } nats per cell).
mechanism-earns-its-keep-range = { $mechanism }: earns its keep (log gain { $low } to { $high } nats per cell).
mechanism-earns-its-keep-added = { $mechanism }: earns its keep when added to { $without }.
mechanism-cannot-tell = { $mechanism }: the held-out dates cannot tell (log gain { $low } nats per cell).
mechanism-cannot-tell-range = { $mechanism }: the held-out dates cannot tell (log gain { $low } to { $high } nats per cell).
mechanism-cannot-tell-added = { $mechanism }: the held-out dates cannot tell when it is added to { $without }.
mechanism-does-harm = { $mechanism }: makes forecasts worse (log gain { $low } nats per cell).
mechanism-does-harm-range = { $mechanism }: makes forecasts worse (log gain { $low } to { $high } nats per cell).
mechanism-does-harm-added = { $mechanism }: makes forecasts worse when added to { $without }.

compare-section-data = Where and when
compare-section-scores = How well they forecast
compare-section-mechanisms = Which mechanisms earn their keep
compare-section-components = What the best model with parts makes of the events
compare-section-forecasts = Forecasts and what came
compare-section-limits = What this cannot tell
compare-section-left-out = What was left out
compare-words-scores = Every forecaster saw the past of { $origins } dates and forecast the next { $steps } steps with { $draws } simulated paths. Scores are losses: lower is better. "Best" has the lowest log score, "tied" cannot be told from it. AIC compares models of the same data only.
compare-words-mechanisms = Two models that differ by one mechanism, side by side. The gain is that of the held-out log score; a mechanism earns its keep if the whole interval lies above 0.
compare-words-components = { $model }, fitted to the whole window: the expected events of each step, by what brought them about. It is a reading of the model, not an observation.
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
score-steps-left = Not scored, since the record ends { $until }: steps { $first } to { $last }.
score-places-unseen = { $count } places of the forecasts have no event in the file and count as 0: { $places }.
score-events-left = { $events } events of the file are left out, among them those before or after the window.
part-endemic = of their own accord
part-within = from the same place
part-between = from other places
