"""What codes of problems and broken rules mean in words, each with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Marks a text for the catalogues; it is looked up where it is shown.
N_ = str

PROBLEMS: Final[Mapping[str, str]] = {
    # Signing in.
    "sign_in_refused": N_(
        "User name and password do not belong together. After several tries you have to wait a while."
    ),
    "second_factor_refused": N_("This code does not fit. Use the one that your device shows now, or a backup code."),
    "wrong_current_password": N_("The current password is another one."),
    "wrong_code": N_("This code does not fit. Use the one that your device shows now."),
    "password_refused": N_("This password cannot be taken. Choose a longer one that nobody would guess."),
    "reset_refused": N_("This link has been used or is too old. Ask for another one."),
    "activation_refused": N_("Code and birth date do not fit, or the code is too old. Ask at the reception."),
    "external_sign_in_refused": N_("The sign-in with your provider did not succeed. Try again, or use your password."),
    "no_mail": N_("This house sends no mail for passwords. Ask whoever runs it."),
    "second_factor_enforced": N_("Your role wants a second factor, so it stays on."),
    "second_factor_in_use": N_("There is a second factor already. Remove it before you set up another."),
    "step_up_required": N_("Show your second factor once more to do this."),
    "no_second_factor": N_("There is no second factor on this account."),
    "no_password": N_("This account has no password here: it is signed in by another house."),
    "not_a_person": N_("This account belongs to a program."),
    "too_many_links": N_("This account is linked with as many records as it may be."),
    "no_provider": N_("There is no other house by which you could sign in. Use user name and password."),
    # Versions and repetitions.
    "stale_version": N_("Somebody has changed this meanwhile. Look how it stands now, and choose what shall hold."),
    "still_running": N_("The first click is still in work. Please wait a moment and look again."),
    "key_reused": N_("This form was sent before with other words. Check what was saved, then send it anew."),
    "too_many_requests": N_("Too many requests in a short time. Please wait a moment."),
    "unavailable": N_("A part of the house is away for a moment. Nothing was lost: try again shortly."),
    # Patients.
    "identifier_taken": N_("This number belongs to another record. Look for it before you register anybody anew."),
    "patient_inactive": N_("This record is out of use. It has to be restored first."),
    "patient_merged": N_("This record was joined with another one. Use the other one."),
    "patient_not_inactive": N_("This record is in use already."),
    "already_deceased": N_("This patient's death is recorded already."),
    "allergy_already_recorded": N_("This allergy is on the list already."),
    "active_allergies_stand": N_("There are allergies on the list, so that none are known cannot be said."),
    "nothing_stated": N_("Nobody has said that there are no known allergies."),
    "entry_not_active": N_("This entry does not hold any more, so it cannot be changed."),
    "already_entered_in_error": N_("This entry was marked as an error already."),
    # Appointments.
    "place_taken": N_("This time has just been taken. Choose one of those below, or another."),
    "place_closed": N_("The doctor or the room is away at this time."),
    "outside_sessions": N_("The doctor has no session at this time."),
    "resource_taken": N_("A room or device that is needed is taken at this time."),
    "patient_busy": N_("The patient has another appointment at this time."),
    "limit_reached": N_("The doctor's limit for this day is reached."),
    "hold_over": N_("The place was kept for you for a few minutes only, and they are over."),
    "doctor_not_bookable": N_("This doctor takes no appointments now."),
    "patient_not_bookable": N_("No appointments can be made for this record."),
    "illegal_move": N_("From where this appointment stands now, that is not possible."),
    "not_started_yet": N_("It is too early for that: the appointment has not begun."),
    "call_us": N_("It is too late to change this here. Please call us."),
    "has_bookings": N_("There are appointments in this time. Move or cancel them first: they are listed below."),
    "sessions_overlap": N_("The doctor has another session at this time."),
    "facility_closed": N_("The facility is closed at this time."),
    "plan_pending": N_("An earlier change of this plan is still on its way. Try again in a moment."),
    "plan_clashes": N_("Appointments stand against this change: they are listed below."),
    "in_use": N_("This is in use, so it cannot be taken away."),
    "licence_taken": N_("This licence number belongs to another doctor."),
    # Accounts.
    "username_taken": N_("This user name is taken."),
    "name_taken": N_("This name is taken."),
    "role_taken": N_("A role of this name exists already."),
    "role_in_use": N_("Somebody holds this role. Take it away from them first."),
    "fixed_role": N_("Roles of the system are fixed. Make one of your own instead."),
    "own_roles": N_("Nobody changes the own roles."),
    "permission_not_held": N_("Nobody can give away a right that they do not hold."),
    "last_super_admin": N_("This is the last super admin; the house would be without one."),
    "account_taken": N_("This account belongs to another doctor."),
    "linked_already": N_("This account and this record are linked already."),
    "too_many_keys": N_("There are two keys already. Take one back first."),
    "rotation_running": N_("A new key is on its way already."),
    # Messages and figures.
    "channel_not_set_up": N_("This way of sending is not set up in this house."),
    "template_invalid": N_("The template cannot be read. The marked places say why."),
    "nothing_to_send": N_("There is nothing to send again here."),
    "too_many_rows": N_("That is too much for one file. Choose a shorter time."),
}

LIMITS: Final[Mapping[str, str]] = {
    "session": N_("This session is full."),
    "doctor_day": N_("The doctor's limit for this day is reached."),
    "patient_day": N_("The patient has as many appointments on this day as may be."),
    "open_per_patient": N_("The patient has as many appointments ahead as may be."),
    "open_by_self_service": N_("You have as many appointments ahead as can be made here. Please call us for another."),
    "holds": N_("You keep as many times as you may. Book one of them, or wait until they are free again."),
}
"""What is reached, by `limit` among the facts of `limit_reached`."""

RULES: Final[Mapping[str, str]] = {
    "required": N_("This is needed."),
    "format": N_("This is not in the form that is expected."),
    "pattern": N_("This is not in the form that is expected."),
    "type": N_("This is not in the form that is expected."),
    "enum": N_("Choose one of the list."),
    "minLength": N_("This is too short."),
    "maxLength": N_("This is too long."),
    "too_long": N_("This is too long."),
    "minimum": N_("This is too small."),
    "maximum": N_("This is too large."),
    "minItems": N_("At least one is needed."),
    "maxItems": N_("These are too many."),
    "unique": N_("This stands here twice."),
    "uniqueItems": N_("This stands here twice."),
    "unknown": N_("There is no such thing."),
    "unknown_zone": N_("There is no such time zone."),
    "unknown_role": N_("There is no such role."),
    "unknown_placeholder": N_("There is no such placeholder."),
    "not_in_future": N_("This lies in the future."),
    "not_in_past": N_("This lies in the past."),
    "in_the_past": N_("This lies in the past."),
    "past": N_("This lies in the past."),
    "after_end": N_("This is after its end."),
    "after_from": N_("The end comes before the beginning."),
    "not_before_birth": N_("This is before the birth."),
    "not_after_death": N_("This is after the death."),
    "skipped_time": N_("This time does not exist: clocks are put forward over it."),
    "repeated_time": N_("This time comes twice: clocks are put back over it. Say which one."),
    "too_common": N_("Too many people use this password."),
    "too_large": N_("This is too large."),
    "too_soon": N_("This is too soon."),
    "period_too_long": N_("This time is too long."),
    "no_slot_fits": N_("No appointment fits into this time."),
    "wrong": N_("This is not right."),
    "unequal": N_("This is not the same as above."),
    "json": N_("This cannot be read."),
    "not_an_image": N_("This is no picture that can be shown."),
    "address": N_("This is no address that mail can be sent to."),
    "empty": N_("This is needed."),
}
