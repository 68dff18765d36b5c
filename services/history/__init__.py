"""A patient's medical history: allergies and problems.

Owns: allergies, problems, the statement about allergies of each patient, and every revision of them.
Reads: whether a patient exists and may be written to, from `patients` (`get_patient_standing`).
Publishes: `history.allergy_recorded.v1`, `history.allergy_resolved.v1`, `history.allergy_entered_in_error.v1`,
    `history.none_known_declared.v1`, `history.none_known_withdrawn.v1`, `history.problem_recorded.v1`,
    `history.problem_resolved.v1`, `history.problem_entered_in_error.v1`; ids only.
Never knows: names, numbers or addresses of patients, what was booked, what was prescribed.
"""
