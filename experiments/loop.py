"""The tuning loop: submit, follow, ask the advisor, submit what it proposes, until it says stop or the budget ends.

Every turn reads the whole state anew from the store, does the one thing that is missing, and turns again; so a loop
that was killed anywhere goes on as if nothing had happened. What to do is decided in `loop_decide.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import tracker
from advisor import tell
from experiments import state
from experiments.errors import JobLost, LoopChanged
from experiments.loop_budget import Limits, left
from experiments.loop_decide import TERMINAL, Rules, decide, judge
from experiments.spec import Spec, changes
from experiments.state import End, Plan
from experiments.table import Result, markdown

if TYPE_CHECKING:
    from experiments.loop_progress import Progress
    from tracker import Loop, Session, TrackedJob

Record = dict[str, Any]
BY_LOSS = ("final", "best_checkpoint")  # objectives that need no score of the task


@dataclass
class Tuning:
    """One loop in one process: what to do stands in the store, this does it."""

    session: Session
    spec: Spec
    rules: Rules
    limits: Limits
    progress: Progress
    loop: Loop

    def run(self) -> Result:
        """Go on until the end, and report it. A finished loop that nothing reopens reports itself."""
        done = self._already_ended()
        if done:
            return done
        while True:
            plans, records = self._read()
            step = decide(plans, records, self.rules, self.limits)
            if isinstance(step, End):
                return self._finish(step, plans, records)
            if step:
                self._write_plans(step)
                continue
            self._follow(plans)

    def _already_ended(self) -> Result | None:
        """The result of a finished loop, unless this call gives it more budget or ignores the stop."""
        plans, end = state.read(self.loop.tags)
        if end is None:
            return None
        if self.loop.finished:
            records = self._records(plans)
            goes_on = not isinstance(decide(plans, records, self.rules, self.limits), End)
            if not goes_on or (end.reason == "advice" and not self.limits.ignore_stop):
                return Result.of(self.loop, plans, records, end, self._keep(records))
            self.session.reopen_loop(self.loop)
        self.session.set_tags(self.loop.run_id, {state.ENDED: ""})  # it has not ended any more
        return None

    def _read(self) -> tuple[list[Plan], list[Record]]:
        """Plans and records as the store has them now, once every plan is a job and every ended job is judged."""
        self.loop = self.session.reload(self.loop)
        plans, _ = state.read(self.loop.tags)
        self._submit([plan for plan in plans if plan.key(self.loop.run_id) not in self._jobs()])
        records = self._records(plans)
        if self._score(plans, records):
            records = self._records(plans)
        return self._judge(plans, records), records

    def _jobs(self) -> dict[str, TrackedJob]:
        """The jobs that the provider has, by key; a run without a job's id is one whose submission was cut off."""
        return {job.key: job for job in self.loop.jobs if job.id}

    def _records(self, plans: Sequence[Plan]) -> list[Record]:
        return state.in_order(plans, self.session.records(self.loop.run_id), self.loop.run_id)

    def _write_plans(self, plans: Sequence[Plan]) -> None:
        tags: dict[str, str] = {}
        for plan in plans:
            tags |= plan.tag()
        self.session.set_tags(self.loop.run_id, tags)

    def _submit(self, plans: Sequence[Plan]) -> None:
        """Make jobs of plans; the key makes a plan that was submitted before a crash the same job again."""
        for plan in plans:
            self.progress.submitting(plan)
            job = self.session.submit(self._request(plan), loop=self.loop, job_key=plan.key(self.loop.run_id))
            self.loop.jobs.append(job)

    def _request(self, plan: Plan) -> tracker.JobRequest:
        spec = self.spec
        return tracker.JobRequest(
            train=spec.train,
            valid=spec.valid,
            model=spec.model,
            hyperparameters=plan.hyperparameters,
            seed=spec.seed,
            suffix=spec.suffix,
            experiment=self.loop.experiment,
            metadata={},
        )

    def _score(self, plans: Sequence[Plan], records: Sequence[Record]) -> bool:
        """Score tuned models that have no score yet on the spec's test; says whether there were any."""
        from tracker.errors import TrackerError
        from tracker.use.score import evaluate

        test = self.spec.eval
        new = [
            (plan, record)
            for plan, record in zip(plans, records, strict=True)
            if test and record["status"] == "succeeded" and not plan.diagnosis and not record.get("metrics")
        ]
        base = not any(record.get("metrics") for record in records)
        for plan, record in new:  # the base model's score is the same for every job: asked once
            try:
                evaluate(self.session, record["run_id"], test.test, test.metric, base=base)
                base = False
            except TrackerError as error:
                if self.rules.objective not in BY_LOSS:
                    raise  # without the score nobody can say what to try next
                self.progress.unscored(plan, error)
        return bool(new)

    def _judge(self, plans: list[Plan], records: Sequence[Record]) -> list[Plan]:
        """Write the advisor's word to every ended job that has none yet, as of the jobs up to it."""
        out = list(plans)
        for i, (plan, record) in enumerate(zip(plans, records, strict=True)):
            if plan.diagnosis or record["status"] not in TERMINAL:
                continue
            upto = records[: i + 1]
            advice = judge(upto, self.rules, budget=left(upto, self.limits))
            run_id = self._jobs()[plan.key(self.loop.run_id)].run_id
            tracker.write_advice(
                run_id, advice.to_record(), markdown=tell.markdown(advice, upto), html=tell.html(advice, upto)
            )
            out[i] = replace(plan, diagnosis=advice.diagnosis.label)
            self.progress.judged(out[i], record, advice)
            note = markdown(self.spec.name, out[: i + 1], upto, advice.keep.to_record())
            self.session.set_tags(self.loop.run_id, {**out[i].tag(), "mlflow.note.content": note})
        return out

    def _follow(self, plans: Sequence[Plan]) -> None:
        """Wait until a running job has ended; the others run on. Raises JobLost where the provider has lost one."""
        ended: list[TrackedJob] = []
        numbers = {plan.key(self.loop.run_id): plan.number for plan in plans}

        def on_update(job: TrackedJob) -> None:
            self.progress.update(numbers[job.key], job)
            if job.done:
                ended.append(job)

        running = [job for job in self.loop.jobs if not job.done]
        self.session.follow(running, on_update=on_update, stop=lambda: bool(ended))
        for job in running:
            if job.done and job.status not in TERMINAL:
                raise JobLost(job.id, self.loop.name, job.error)

    def _finish(self, end: End, plans: Sequence[Plan], records: Sequence[Record]) -> Result:
        result = Result.of(self.loop, plans, records, end, self._keep(records))
        self.session.set_tags(self.loop.run_id, end.tag())
        self.session.finish_loop(
            self.loop, result.summary(), markdown(self.spec.name, plans, records, result.keep, end)
        )
        return result

    def _keep(self, records: Sequence[Record]) -> Record:
        return judge(records, self.rules).keep.to_record()


def open_loop(session: Session, spec: Spec, new: bool) -> Loop:
    """Find or begin the loop of this spec.

    Raises
    ------
    LoopChanged
        Where a loop of this name was begun with another spec.
    """
    identity = spec.identity()
    loop = None if new else tracker.find_loop(spec.name, tracking_uri=session.tracking_uri)
    differences = changes(loop.spec, identity) if loop else []
    # A job whose submission was cut off may have been made, and paid for.
    if loop and differences and any(job.id or job.status == "submitting" for job in loop.jobs):
        raise LoopChanged(spec.name, differences)
    if loop is None or differences:  # a loop that never got a job, as with a misspelt model, binds nobody
        session.wait(session.endpoint.jobs())  # an address or key that is wrong leaves no empty loop behind
        loop = session.start_loop(spec.name, spec.experiment or spec.train.stem, identity, new=True)
    return loop
