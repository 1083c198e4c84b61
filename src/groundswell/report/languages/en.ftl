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
