"""Notifications: tells people what they must know, by e-mail, text message, push message and in the application.

Owns: templates, preferences, deliveries.
Reads: events of appointments; whom to tell and how, from patients and doctors.
Publishes: nothing yet.
Never knows: findings, diagnoses and medicines.
"""
