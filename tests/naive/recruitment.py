"""Recruitment in plain Python. `Twin` draws by the same hash and must go the same way; `dense` asks every person.

`Twin` keeps a dictionary of sets and lists, and takes the expected events from the plain twin of Mobilisation. `dense`
draws by numpy: each person has a Poisson number of events of their own, each seat of attempts, each group a coin.
"""

from __future__ import annotations

import math

import numpy as np

from tests.naive import mobilisation as plain

BITS = (1 << 64) - 1
(
    LUCK, SPONTANEOUS, ORGANISED, EVENT, GROUP_EVENT, SIZE, ASKED, KNOWN, WHICH_TIE, GROUP, SEAT, ARREST_LUCK, ARRESTS,
    CHOSEN, TERM, STAYS, WARNINGS, ATTEMPTS, ATTEMPT, CONTACTS, CONTACT, RECEIVER, ARRIVAL, HITS, HIT, MEMBERS_WARNED,
    WARNED_BY, TIE, FIRST_GROUPS, FIRST_GROUP,
) = range(30)  # fmt: skip


def mix(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & BITS
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & BITS
    return x ^ (x >> 31)


def step_key(key, step):
    return mix((key + 0x9E3779B97F4A7C15 * (step + 1)) & BITS)


def draw(key, agent, purpose, k):
    x = mix((key + 0x9E3779B97F4A7C15 * (agent + 1)) & BITS)
    return mix((x + 0x9E3779B97F4A7C15 * ((purpose << 32) | k)) & BITS)


def unit(key, agent, purpose, k):
    return (draw(key, agent, purpose, k) >> 11) * 2.0**-53


def normal(key, agent, purpose, k):
    radius = math.sqrt(-2 * math.log1p(-unit(key, agent, purpose, k)))
    return radius * math.cos(2 * math.pi * unit(key, agent, purpose, k + 1))


def gamma(key, agent, purpose, shape):
    """Marsaglia and Tsang; a shape below 1 is raised by 1 and brought back by a power of a uniform number."""
    d = (shape if shape >= 1 else shape + 1) - 1 / 3
    k = 1
    while True:
        x = normal(key, agent, purpose, k)
        v = (1 + x / math.sqrt(9 * d)) ** 3
        if v > 0 and math.log1p(-unit(key, agent, purpose, k + 2)) < x * x / 2 + d - d * v + d * math.log(v):
            return d * v * (1 if shape >= 1 else (1 - unit(key, agent, purpose, 0)) ** (1 / shape))
        k += 3


def poisson(key, agent, purpose, mean):
    """By inversion up to a mean of 12, else Hörmann's PTRS."""
    if mean <= 0:
        return 0
    if mean <= 12:
        target, count, term = unit(key, agent, purpose, 0), 0, math.exp(-mean)
        while target > term > 0:
            target -= term
            count += 1
            term *= mean / count
        return count
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    k = 0
    while True:
        u, v = unit(key, agent, purpose, k) - 0.5, unit(key, agent, purpose, k + 1)
        k += 2
        us = 0.5 - abs(u)
        if us <= 0:
            continue
        count = math.floor((2 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2):
            return count
        if count < 0 or (us < 0.013 and v > us) or v <= 0:
            continue
        density = count * math.log(mean) - mean - math.lgamma(count + 1)
        if math.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (us * us) + b)) <= density:
            return count


def luck(key, agent, purpose, psi):
    return 1.0 if psi == 0 else psi * gamma(key, agent, purpose, 1 / psi)


class Country:
    """What the twin and the dense run share: the setting's tables, and what has happened so far."""

    def __init__(self, model, setting):
        self.model, self.setting = model, setting
        self.size = [max(1, round(n)) for n in setting.places.population]
        self.people, self.w = plain.per_100k(setting), plain.reach_weights(model, setting)
        self.pulse, self.called = plain.log_pulse(model, setting), plain.calls(model, setting)
        self.momentum, self.arrests = np.zeros(len(self.size)), np.zeros(setting.shape)
        self.groups = [[] for _ in self.size]  # by city, each a list of seats: a person or None
        self.jailed, self.warned, self.arrested, self.joined, self.took_part = {}, set(), set(), set(), set()
        self.series = {name: np.zeros(setting.shape) for name in (
            "events", "arrests", "participants", "warned", "formed", "broken_up", "members_arrested", "members_warned",
            "joined", "groups", "members", "jailed",
        )}  # fmt: skip

    def expected(self, p, t):
        """Expected events by persons if all are free, and by one group."""
        hurt, alarm = plain.stocks(self.model, self.arrests[:, : max(t, 1)], self.people)
        given = (self.model, self.setting, p, t, self.momentum, hurt, alarm)
        alone = plain.expected(*given, 0.0, self.called, self.w, self.pulse)
        return alone, plain.expected(*given, 1.0, self.called, self.w, self.pulse) - alone

    def begin(self, t):
        """Let free whose last day is over, and note the stocks."""
        self.jailed = {who: until for who, until in self.jailed.items() if until >= t}
        for p in range(len(self.size)):
            self.series["groups"][p, t] = len(self.groups[p])
            self.series["members"][p, t] = sum(who is not None for group in self.groups[p] for who in group)
            self.series["jailed"][p, t] = sum(q == p for q, _ in self.jailed)

    def remember(self, t):
        self.momentum = self.model.keep * self.momentum + self.series["events"][:, t]
        self.arrests[:, t] = self.series["arrests"][:, t]

    def note(self, p, t, **numbers):
        for name, number in numbers.items():
            self.series[name][p, t] += number


class Twin(Country):
    """The same hash, one person after another."""

    def __init__(self, society):
        super().__init__(society.model, society.setting)
        self.key, self.day = society.key, 0
        self.first = [sum(self.size[:p]) for p in range(len(self.size))]
        self.ties = self.today = step_key(self.key, 0)
        there = self.model.groups
        for p in range(len(self.size)):
            mean = there.initial * plain.shares(self.model, self.setting)[p] if there else 0
            for i in range(poisson(self.today, p, FIRST_GROUPS, mean)):
                here = draw(self.today, p, FIRST_GROUP, i)
                self.form(p, here, int(unit(here, 0, KNOWN, 0) * self.size[p]))

    def tie(self, p, i, which):
        model = self.model.ties
        u = unit(self.ties, self.first[p] + i, TIE, which)
        if u < model.random:
            return int(u / model.random * self.size[p])
        step = which // 2 + 1
        return (i + step if which % 2 == 0 else i - step) % self.size[p]

    def stays_away(self, p, i):
        part = self.model.specific_deterrence
        if part is None or (p, i) not in self.warned | self.arrested:
            return False
        chance = part.arrested if (p, i) in self.arrested else part.warned
        return unit(self.today, self.first[p] + i, STAYS, 0) < chance

    def can_act(self, p, i):
        return i is not None and (p, i) not in self.jailed and not self.stays_away(p, i)

    def jail(self, p, i):
        longest = self.model.jail.longest if self.model.jail else 0
        self.arrested.add((p, i))
        self.jailed[p, i] = self.day + math.ceil(unit(self.today, self.first[p] + i, TERM, 0) * longest)

    def a_seat(self, here, p, groups):
        group = groups[int(unit(here, 0, GROUP, 0) * len(groups))]
        return group, group[int(unit(here, 0, SEAT, 0) * len(group))]

    def form(self, p, here, recruiter):
        """Ask one person for each seat; the number who joined."""
        members = self.model.groups.members
        wanted = math.floor(members) + (unit(here, 0, SIZE, 0) < members % 1)
        turn = int(unit(here, 0, WHICH_TIE, 0) * (self.model.ties.number if self.model.ties else 0))
        seats = []
        for s in range(wanted):
            if recruiter is not None and self.model.ties:
                person = self.tie(p, recruiter, (turn + s) % self.model.ties.number)
            else:
                person = int(unit(here, s, ASKED, 0) * self.size[p])
            if (p, person) in self.joined or not self.can_act(p, person):
                seats.append(None)
            else:
                self.joined.add((p, person))
                seats.append(person)
        won = sum(who is not None for who in seats)
        if won:
            self.groups[p].append(seats)
        return won

    def go(self):
        t, self.today = self.day, step_key(self.key, self.day + 1)
        self.begin(t)
        standing = [list(groups) for groups in self.groups]
        starts = [self.starts(p, t, len(standing[p])) for p in range(len(self.size))]
        for p, (alone, by_groups) in enumerate(starts):
            self.protest(p, t, alone, by_groups, standing[p])
        self.remember(t)
        arriving = self.contacts(standing)
        for p in range(len(self.size)):
            if self.model.groups:
                self.organise(p, t, standing[p], arriving[p])
        self.day += 1

    def starts(self, p, t, groups):
        if t == 0:
            return int(self.setting.places.name[p] in self.setting.active_on_day0), 0
        alone, one = self.expected(p, t)
        factor = luck(self.today, p, LUCK, self.model.overdispersion)
        return (poisson(self.today, p, SPONTANEOUS, factor * alone),
                poisson(self.today, p, ORGANISED, factor * one * groups))  # fmt: skip

    def protest(self, p, t, alone, by_groups, standing):
        there, events = [], 0
        for e in range(alone + by_groups):
            here = draw(self.today, p, EVENT, e) if e < alone else draw(self.today, p, GROUP_EVENT, e - alone)
            group = []
            if e < alone:
                starter = int(unit(here, 0, ASKED, 0) * self.size[p])
            else:
                group, starter = self.a_seat(here, p, standing)
            if not self.can_act(p, starter) or starter in there:
                continue
            came = [starter]
            came += [i for i in group if i != starter and i not in there and self.can_act(p, i)]
            events += 1
            crowds = self.model.crowds
            people = crowds.median * math.exp(crowds.spread * normal(here, 0, SIZE, 0))
            for j in range(len(came), math.floor(people + 0.5)):
                u, turnout = unit(here, j, ASKED, 0), self.model.ties.turnout if self.model.ties else 0
                if u < turnout:
                    friend, rest = divmod(u / turnout * len(came), 1)
                    person = self.tie(p, came[int(friend)], int(rest * self.model.ties.number))
                else:
                    person = int((u - turnout) / (1 - turnout) * self.size[p])
                if person not in came and person not in there and self.can_act(p, person):
                    came.append(person)
            there += came
        self.took_part |= {(p, i) for i in there}
        arrests = warned = 0
        if events:
            factor = luck(self.today, p, ARREST_LUCK, self.model.arrests.overdispersion)
            mean = factor * self.model.arrests.per_event * events
            arrests = min(poisson(self.today, p, ARRESTS, mean), len(there))
            wanted = poisson(self.today, p, WARNINGS, self.model.warnings_per_arrest * arrests)
            warned = min(wanted, len(there) - arrests)
        self.note(p, t, events=events, arrests=arrests, participants=len(there), warned=warned)
        for i in range(arrests + warned):
            j = i + int(unit(self.today, p, CHOSEN, i) * (len(there) - i))
            there[i], there[j] = there[j], there[i]
            if i < arrests:
                self.jail(p, there[i])
            else:
                self.warned.add((p, there[i]))

    def contacts(self, standing):
        arriving = [0] * len(self.size)
        if not self.model.groups or self.model.groups.contact == 0:
            return arriving
        for q, groups in enumerate(standing):
            for i in range(poisson(self.today, q, CONTACTS, self.model.groups.contact / 365 * len(groups))):
                here = draw(self.today, q, CONTACT, i)
                _, recruiter = self.a_seat(here, q, groups)
                if self.can_act(q, recruiter):
                    below = np.cumsum(self.w[q]) > unit(here, 0, RECEIVER, 0)
                    if below.any():
                        arriving[int(below.argmax())] += 1
        return arriving

    def organise(self, p, t, standing, arriving):
        there, formed, joined = self.model.groups, 0, 0
        rate = there.recruitment / 365 * (1 + there.momentum_recruitment * self.momentum[p])
        attempts = poisson(self.today, p, ATTEMPTS, rate * len(standing))
        for i in range(attempts + arriving):
            recruiter = None
            if i < attempts:
                here = draw(self.today, p, ATTEMPT, i)
                _, recruiter = self.a_seat(here, p, standing)
                if not self.can_act(p, recruiter):
                    continue
            else:
                here = draw(self.today, p, ARRIVAL, i - attempts)
            won = self.form(p, here, recruiter)
            formed, joined = formed + (won > 0), joined + won
        hits = poisson(self.today, p, HITS, there.breakup / 365 * (1 + there.exposure * self.series["events"][p, t])
                       * len(standing))  # fmt: skip
        broken, taken = [], []
        for i in range(hits):
            at = int(unit(self.today, p, HIT, i) * len(standing))
            if at not in broken:
                broken.append(at)
                taken += [who for who in standing[at] if who is not None and (p, who) not in self.jailed]
        for who in taken:
            self.jail(p, who)
        self.groups[p] = [g for i, g in enumerate(standing) if i not in broken] + self.groups[p][len(standing) :]
        warned = 0
        if taken:
            for i in range(poisson(self.today, p, MEMBERS_WARNED, there.warned_per_member_arrested * len(taken))):
                here = draw(self.today, p, WARNED_BY, i)
                person = int(unit(here, 0, ASKED, 0) * self.size[p])
                if self.model.ties:
                    known = taken[int(unit(here, 0, KNOWN, 0) * len(taken))]
                    person = self.tie(p, known, int(unit(here, 0, WHICH_TIE, 0) * self.model.ties.number))
                if (p, person) not in self.jailed:
                    self.warned.add((p, person))
                    warned += 1
        self.note(p, t, formed=formed, joined=joined, broken_up=len(broken), members_arrested=len(taken),
                  members_warned=warned)  # fmt: skip

    def bits(self):
        """(N,) as in Society.persons."""
        member = {(p, i) for p, groups in enumerate(self.groups) for group in groups for i in group if i is not None}
        sets = [set(self.jailed), member, self.warned, self.arrested, self.joined, self.took_part]
        return np.array([
            sum(1 << b for b, held in enumerate(sets) if (p, i) in held)
            for p in range(len(self.size)) for i in range(self.size[p])
        ])  # fmt: skip


class Dense(Country):
    """The same law by numpy, everyone asked every day: each person has events of their own, each seat attempts."""

    def __init__(self, model, setting, rng):
        super().__init__(model, setting)
        self.rng = rng
        self.ties = [[self.ties_of(p, i) for i in range(size)] for p, size in enumerate(self.size)]
        there = model.groups
        for p, size in enumerate(self.size):
            mean = there.initial * plain.shares(model, setting)[p] if there else 0
            for _ in range(rng.poisson(mean)):
                self.form(p, rng.integers(size), set())

    def ties_of(self, p, i):
        if self.model.ties is None:
            return []
        ring = [(i + step * side) % self.size[p] for step in range(1, self.size[p]) for side in (1, -1)]
        far = self.rng.random(self.model.ties.number) < self.model.ties.random
        return [self.rng.integers(self.size[p]) if f else near for f, near in zip(far, ring, strict=False)]

    def anyone(self, p):
        return self.rng.integers(self.size[p])

    def one_of(self, values):
        return values[self.rng.integers(len(values))]

    def away(self, t):
        """Who stays away today; nobody of them is in jail."""
        part, who = self.model.specific_deterrence, set()
        for person in self.warned | self.arrested if part else ():
            who |= (
                {person} if self.rng.random() < (part.arrested if person in self.arrested else part.warned) else set()
            )
        return who

    def jail(self, p, i, t):
        self.arrested.add((p, i))
        self.jailed[p, i] = t + math.ceil(self.rng.random() * (self.model.jail.longest if self.model.jail else 0))

    def form(self, p, recruiter, away):
        members = self.model.groups.members
        wanted = math.floor(members) + (self.rng.random() < members % 1)
        number = len(self.ties[p][0])
        turn = self.rng.integers(number) if number else 0
        seats = []
        for s in range(wanted):
            known = recruiter is not None and number > 0
            person = self.ties[p][recruiter][(turn + s) % number] if known else self.anyone(p)
            can = not {(p, person)} & (self.joined | self.jailed.keys() | away)
            seats.append(person if can else None)
            self.joined |= {(p, person)} if can else set()
        if any(who is not None for who in seats):
            self.groups[p].append(seats)
        return sum(who is not None for who in seats)

    def go(self, t):
        self.begin(t)
        away = self.away(t)
        standing = [list(groups) for groups in self.groups]
        for p in range(len(self.size)):
            self.protest(p, t, away, standing[p])
        self.remember(t)
        arriving = [0] * len(self.size)
        for q, groups in enumerate(standing):
            for _ in range(self.rng.poisson(self.model.groups.contact / 365, len(groups)).sum() if groups else 0):
                who = self.one_of(self.one_of(groups))
                if who is not None and not {(q, who)} & (away | self.jailed.keys()):
                    arriving[self.rng.choice(len(self.size), p=self.w[q])] += 1
        for p in range(len(self.size)):
            self.organise(p, t, away, standing[p], arriving[p])

    def protest(self, p, t, away, standing):
        alone, one = self.expected(p, t) if t > 0 else (0.0, 0.0)
        psi = self.model.overdispersion
        luck = self.rng.gamma(1 / psi, psi) if psi > 0 else 1.0
        starts = np.repeat(np.arange(self.size[p]), self.rng.poisson(luck * alone / self.size[p], self.size[p]))
        if t == 0 and self.setting.places.name[p] in self.setting.active_on_day0:
            starts = [self.anyone(p)]
        plans = [(i, []) for i in self.rng.permutation(starts)]
        by_seat = [(i, group) for group in standing for i in group
                   for _ in range(self.rng.poisson(luck * one / len(group)))]  # fmt: skip
        plans += [by_seat[i] for i in self.rng.permutation(len(by_seat))]
        there, events = [], 0
        for starter, group in plans:
            can = {i for i in range(self.size[p]) if not {(p, i)} & (away | self.jailed.keys())} - set(there)
            if starter not in can:
                continue
            events += 1
            came = [starter, *(i for i in group if i is not None and i != starter and i in can)]
            people = self.model.crowds.median * math.exp(self.model.crowds.spread * self.rng.standard_normal())
            for _ in range(len(came), math.floor(people + 0.5)):
                along = self.model.ties and self.rng.random() < self.model.ties.turnout
                person = self.one_of(self.ties[p][self.one_of(came)]) if along else self.anyone(p)
                if person in can and person not in came:
                    came.append(person)
            there += came
        arrests = warned = 0
        if events:
            psi, mean = self.model.arrests.overdispersion, self.model.arrests.per_event * events
            luck = self.rng.gamma(1 / psi, psi) if psi > 0 else 1.0
            arrests = min(self.rng.poisson(luck * mean), len(there))
            warned = min(self.rng.poisson(self.model.warnings_per_arrest * arrests), len(there) - arrests)
        self.note(p, t, events=events, arrests=arrests, participants=len(there), warned=warned)
        chosen = self.rng.permutation(there)
        for i in chosen[:arrests]:
            self.jail(p, i, t)
        self.warned |= {(p, i) for i in chosen[arrests : arrests + warned]}

    def organise(self, p, t, away, standing, arriving):
        there, formed, joined = self.model.groups, 0, 0
        rate = there.recruitment / 365 * (1 + there.momentum_recruitment * self.momentum[p])
        tries = [i for group in standing for i in group for _ in range(self.rng.poisson(rate / len(group)))]
        able = [i for i in tries if i is not None and not {(p, i)} & (away | self.jailed.keys())]
        for recruiter in [*self.rng.permutation(able), *[None] * arriving]:
            won = self.form(p, recruiter, away)
            formed, joined = formed + (won > 0), joined + won
        hit = 1 - math.exp(-there.breakup / 365 * (1 + there.exposure * self.series["events"][p, t]))
        broken = [i for i in range(len(standing)) if self.rng.random() < hit]
        taken = [i for at in broken for i in standing[at] if i is not None and (p, i) not in self.jailed]
        for who in taken:
            self.jail(p, who, t)
        self.groups[p] = [g for i, g in enumerate(standing) if i not in broken] + self.groups[p][len(standing) :]
        told = 0
        for _ in range(self.rng.poisson(there.warned_per_member_arrested * len(taken)) if taken else 0):
            person = self.one_of(self.ties[p][self.one_of(taken)]) if self.model.ties else self.anyone(p)
            if (p, person) not in self.jailed:
                self.warned.add((p, person))
                told += 1
        self.note(p, t, formed=formed, joined=joined, broken_up=len(broken), members_arrested=len(taken),
                  members_warned=told)  # fmt: skip
