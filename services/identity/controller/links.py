"""Accounts of patients and guardians: codes from the reception, and links between accounts and records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk
from services.identity.model import accounts, activation, openings, passwords, policy, sessions
from services.identity.model.accounts import Account
from services.identity.model.activation import ActivationCode, ActivationRefused, UnknownPatient
from services.identity.model.reach import Link, Relation, UnknownLink
from services.identity.model.store import Scope, Work
from services.kernel.errors import TooMany, Unavailable

_RANDOM = 12


class Links:
    """Operations on activation codes and links."""

    _desk: Desk

    def create_activation_code(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make a code for a record, which is shown in this answer and never again."""
        patient_id, text = UUID(body["patient_id"]), activation.written(self._desk.randomness(_RANDOM))
        code = activation.new_code(
            code_id=self._desk.new_id(),
            digest=self._digest(text),
            patient_id=patient_id,
            relation=Relation(body["relation"]),
            until=_time(body.get("until")),
            by=call.actor.subject,
            at=call.at,
        )
        return self._handed_out(code, text, call)

    def _handed_out(self, code: ActivationCode, text: str, call: Call) -> Answer:
        """The stored answer of the key has no code: a replay must not show it again, nor a table keep it in clear."""
        if self._desk.records.standing(code.patient_id, call=call) != "active":
            raise UnknownPatient
        with self._desk.store.begin(call) as tx:
            tx.add_activation_code(code)
            call.audit(patient=code.patient_id, record=code.id)
            call.answer(view.activation_code(code, text=None), status=201)
        return Answer(view.activation_code(code, text=text), 201)

    def activate_account(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make an account for whom a code was handed out, and link it to the record."""
        about = (body["username"],)
        ready = passwords.accepted(body["password"], about=about, common=self._desk.common, pointer="/password")
        self._verify(body, call)
        hashed, new_id = self._desk.hash(ready), self._desk.new_id()
        with self._desk.store.begin(call) as tx:
            link, name = self._use(tx, body, call), body["username"]
            made = openings.of_patient(account_id=new_id, username=name, password_hash=hashed, link=link, at=call.at)
            tx.add_account(made)
            tx.record(accounts.event("user_created", account=made))
            call.actor = sessions.actor_of(made, session=new_id)
            return self._linked(tx, None, made, link, call, body=view.activated(made))

    def add_own_link(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Link one more record to the own account."""
        self._verify(body, call)
        me, _ = self._desk.me(call)
        with self._desk.store.begin(call) as tx:
            account = tx.account_for_change(me)
            accounts.refuse_service(account)
            link = self._use(tx, body, call)
            fresh = accounts.with_link(account, link=link, at=call.at)
            tx.save_account(fresh, fields=accounts.differing(account, after=fresh))
            return self._linked(tx, account, fresh, link, call, body=view.link(link))

    def list_record_links(self, patient_id: str, call: Call) -> Answer:
        """Which accounts are linked to a record."""
        record, is_reached = UUID(patient_id), self._reaches(UUID(patient_id), call)
        with self._desk.store.begin(call) as tx:
            found = tx.accounts_linked(patient_id=record) if is_reached else []
            call.audit(patient=record)
            shown = [(each, link) for each in found for link in each.links if link.patient_id == record]
            return call.answer(view.page([view.record_link(each, link) for each, link in shown]))

    def end_record_link(self, link_id: str, call: Call) -> Answer:
        """End a link: the account reaches the record no more, everywhere within two seconds."""
        with self._desk.store.begin(call) as tx:
            account = tx.account_of_link(UUID(link_id))
            link = next((each for each in account.links if str(each.id) == link_id), None)
            if link is None or not self._reaches(link.patient_id, call):
                raise UnknownLink
            fresh = accounts.without_link(account, link_id=link.id, at=call.at)
            tx.save_account(fresh, fields=["links"])
            tx.announce(policy.of_account(fresh, at=call.at))
            tx.record(accounts.event("link_ended", account=fresh))
            call.audit(patient=link.patient_id, record=fresh.id, version=fresh.version, fields=["links"])
            return call.answer(status=204)

    def _reaches(self, patient_id: UUID, call: Call) -> bool:
        """Whether who acts reaches the record; who reaches all of them need not ask, and can always end a link."""
        if call.actor.scope.is_everywhere:
            return True
        return self._desk.records.standing(patient_id, call=call) is not None

    def _verify(self, body: Mapping[str, Any], call: Call) -> None:
        """Compare the birth date with that of the code's record. The try counts before it is looked at.

        Raises:  ActivationRefused: one answer for every reason.
        """
        scopes = self._desk.secret_scopes("activation", call=call)
        code = self._tried(body, scopes, call)
        try:
            is_right = code is not None and self._is_born(code, body)
        except (Unavailable, TooMany):
            self._give_back(code, scopes, call)  # it was not looked at
            raise
        if not is_right:
            with self._desk.store.begin(call):
                call.audit(record=None if code is None else code.id, outcome="failed")
            raise ActivationRefused
        self._give_back(code, scopes, call)

    def _tried(self, body: Mapping[str, Any], scopes: tuple[Scope, ...], call: Call) -> ActivationCode | None:
        """The code with one more try, when it may be tried."""
        with self._desk.store.begin(call) as tx:
            self._desk.count_try(tx, scopes, call=call)
            code = tx.activation_code_for_change(self._digest(body["code"]))
            if code is None or not activation.is_open(code, at=call.at):
                return None
            tx.save_activation_code(replace(code, tries=code.tries + 1))
            return code

    def _is_born(self, code: ActivationCode, body: Mapping[str, Any]) -> bool:
        born = date.fromisoformat(body["birth_date"])
        return self._desk.records.is_born_on(code.patient_id, birth_date=born)

    def _give_back(self, code: ActivationCode | None, scopes: tuple[Scope, ...], call: Call) -> None:
        """A try that was right, or not looked at, uses up nothing: a user name that is taken must not end a code."""
        with self._desk.store.begin(call) as tx:
            self._desk.uncount(tx, scopes)
            held = None if code is None else tx.activation_code_for_change(code.digest)
            if held is not None:
                tx.save_activation_code(replace(held, tries=max(0, held.tries - 1)))

    def _use(self, tx: Work, body: Mapping[str, Any], call: Call) -> Link:
        """Use a verified code up: the link that it was made for.

        Raises:  ActivationRefused: somebody else was faster.
        """
        code = tx.activation_code_for_change(self._digest(body["code"]))
        if code is None or code.used_at is not None or call.at >= code.expires_at:
            raise ActivationRefused
        tx.save_activation_code(replace(code, used_at=call.at))
        return Link(
            id=self._desk.new_id(),
            patient_id=code.patient_id,
            relation=code.relation,
            made_by=code.made_by,
            made_at=call.at,
            until=code.link_until,
        )

    def _linked(
        self, tx: Work, before: Account | None, fresh: Account, link: Link, call: Call, *, body: dict[str, Any]
    ) -> Answer:
        tx.announce(policy.of_account(fresh, at=call.at))
        tx.record(accounts.event("linked", account=fresh))
        added, _ = accounts.roles_changed(before, after=fresh)
        call.audit(patient=link.patient_id, record=fresh.id, version=fresh.version, fields=["links"], added=added)
        return call.answer(body, status=201)

    def _digest(self, code: str) -> bytes:
        return self._desk.digest(f"activation code {code.replace('-', '').replace(' ', '').upper()}")


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
