"use strict";
// The calendar: what it draws comes from the house and is asked for anew whenever somebody changes something. Times are
// those of the clinic's clocks, whatever the clock of this computer says.
(() => {
  const place = document.getElementById("calendar");
  const narrow = matchMedia("(max-width: 767.98px)");
  if (!place || narrow.matches) return;
  const texts = JSON.parse(place.dataset.texts);
  const columns = JSON.parse(place.dataset.columns);
  const asked = document.getElementById("calendar-asked");
  const said = document.getElementById("calendar-said");
  const isOne = place.dataset.isOne === "yes";
  const mayMove = place.dataset.mayMove === "yes";
  const mayBook = place.dataset.mayBook === "yes";
  const views = { day: isOne ? "timeGridDay" : "resourceTimeGridDay", week: isOne ? "timeGridWeek" : "resourceTimeGridWeek", month: "dayGridMonth" };
  const names = Object.fromEntries(Object.entries(views).map(([name, view]) => [view, name]));
  const language = document.documentElement.lang;
  let shown = null;
  let asking = 0;
  let isDragging = false;
  let drawn = "";
  let saying = null;
  const moved = new Map();  // versions that a move has answered with, before the calendar is drawn anew
  const versionOf = ({ id, extendedProps }) => Math.max(extendedProps.version, moved.get(id) || 0);

  // A date of the calendar carries the clinic's wall clock in its own fields.
  const wall = (date) => `${day(date)}T${two(date.getHours())}:${two(date.getMinutes())}`;
  const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const two = (number) => String(number).padStart(2, "0");

  // The calendar knows a zone by how far it is ahead now; its line for the present moment is drawn by that.
  function ahead(zone) {
    const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(new Date());
    return parts.find((part) => part.type === "timeZoneName").value.replace("GMT", "") || "UTC";
  }

  function form(values) {
    const body = new FormData(asked);
    for (const [name, value] of Object.entries(values)) body.set(name, value);
    return body;
  }

  // One way to the house for all of it: a part to show, JSON, or the sign-in page when the session is over.
  async function send(address, body) {
    const answer = await fetch(address, { method: "POST", body, headers: { "HX-Request": "true", "X-CSRF-Token": csrf() } });
    if (answer.headers.get("HX-Redirect")) { location.assign(answer.headers.get("HX-Redirect")); return null; }
    return answer;
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
  }

  function content({ event, timeText }) {
    if (event.display === "background") {
      return { domNodes: event.extendedProps.kind === "away" ? [element("span", "away-text", texts.away)] : [] };
    }
    const line = element("span", "ec-event-line", "");
    const title = element("bdi", "ec-event-title", event.title);
    line.append(element("time", "ec-event-time", timeText), " ", title);
    return { domNodes: [line, element("bdi", "ec-event-more", event.extendedProps.more)] };
  }

  function dressed({ el, event }) {
    if (event.display === "background") return;
    el.dataset.appointment = event.id;
    if (mayMove && event.startEditable !== false && event.classNames.includes("is-booked")) {
      el.setAttribute("aria-keyshortcuts", "M");
      el.setAttribute("aria-describedby", "calendar-help");
    }
  }

  async function refresh() {
    if (!shown || isDragging) return;
    const mine = ++asking;
    const { since, until } = shown;
    try {
      const answer = await send("/calendar/feed", form({ since, until }));
      if (!answer || mine !== asking) return;
      const text = await answer.text();
      took({ status: answer.status, kind: answer.headers.get("Content-Type"), text, who: place, again: refresh });
      if (answer.ok) draw(text);
    } catch { reached(false); }
  }

  // What is the same as before is not drawn anew; who was at an appointment by keyboard stays there.
  function draw(text) {
    if (text === drawn || isDragging) return;
    drawn = text;
    const found = JSON.parse(text);
    const at = place.contains(document.activeElement) ? document.activeElement.dataset.appointment : null;
    calendar.setOption("slotMinTime", found.hours[0]);
    calendar.setOption("slotMaxTime", found.hours[1]);
    calendar.setOption("events", found.events);
    if (at) requestAnimationFrame(() => { const same = place.querySelector(`[data-appointment="${CSS.escape(at)}"]`); if (same) same.focus({ preventScroll: true }); });
  }

  // ---- a dialog with a part of a page --------------------------------------------------------------------------------
  const dialog = document.getElementById("calendar-dialog");
  async function show(answer) {
    const inside = document.getElementById("ask-content");
    inside.innerHTML = await answer.text();
    htmx.process(inside);
    const open = () => { const first = inside.querySelector("[data-focus]") || inside.querySelector("button"); if (first) first.focus(); };
    if (dialog.classList.contains("show")) open();
    else { dialog.addEventListener("shown.bs.modal", open, { once: true }); bootstrap.Modal.getOrCreateInstance(dialog).show(); }
  }

  function tellMoved(text) {
    clearTimeout(saying);
    said.textContent = text;
    saying = setTimeout(() => { said.textContent = ""; }, 10000);
  }

  async function move(body, undo) {
    let answer = null;
    try { answer = await send("/calendar/move", body); } catch { reached(false); }
    if (answer && answer.ok) {
      const told = await answer.json();
      moved.set(told.id, told.version);
      tellMoved(told.said);
      if (dialog.classList.contains("show")) bootstrap.Modal.getOrCreateInstance(dialog).hide();
    } else {
      if (undo) undo();
      drawn = "";
      if (answer) await show(answer);
    }
    refresh();
  }

  dialog.addEventListener("submit", (event) => {
    if (!("move" in event.target.dataset)) return;
    event.preventDefault();
    event.stopPropagation();
    move(new FormData(event.target, event.submitter));
  });

  function dropped({ event, oldEvent, newResource, revert }) {
    isDragging = false;
    const doctor = newResource ? newResource.id : event.extendedProps.doctor;
    const starts = wall(event.start);
    if (starts === wall(oldEvent.start) && doctor === event.extendedProps.doctor) return;
    move(form({ appointment_id: event.id, _version: versionOf(event), local: starts, doctor_id: doctor }), revert);
  }

  async function begin({ date, allDay, resource }) {
    if (allDay) {
      calendar.setOption("date", date);
      calendar.setOption("view", views.day);
      return;
    }
    const doctor = resource ? resource.id : (columns[0] || {}).id;
    if (!mayBook || !doctor) return;
    try {
      const answer = await send("/calendar/begin", form({ local: wall(date), doctor_id: doctor }));
      if (answer) await show(answer);
    } catch { reached(false); }
  }

  place.addEventListener("keydown", async (event) => {
    const found = event.target.closest("[aria-keyshortcuts]");
    if (!found || event.key.toLowerCase() !== "m" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const { appointment } = found.dataset;
    const version = versionOf(calendar.getEventById(appointment));
    try {
      const answer = await send("/calendar/place", form({ appointment_id: appointment, _version: version }));
      if (answer) await show(answer);
    } catch { reached(false); }
  });

  // ---- view and day stay in the address ------------------------------------------------------------------------------
  function turned({ start, end, view }) {
    const before = shown;
    shown = { since: day(start), until: day(end) };
    const at = calendar ? calendar.getOption("date") : new Date(`${place.dataset.day}T00:00`);
    const here = day(at);
    const address = new URL(location);
    address.searchParams.set("view", names[view.type]);
    address.searchParams.set("day", here);
    history.replaceState(history.state, "", address);
    for (const field of document.querySelectorAll(".calendar-choice [name=day]")) field.value = here;
    for (const field of document.querySelectorAll(".calendar-choice [name=view]")) field.value = names[view.type];
    const list = document.querySelector("[data-day-list]");
    if (list) list.href = `/calendar/day?day=${here}`;
    place.dataset.turned = names[view.type];
    if (calendar && (!before || before.since !== shown.since || before.until !== shown.until)) refresh();  // other hours are no other days
  }

  let calendar = null;
  calendar = EventCalendar.create(place, {
    view: views[place.dataset.view],
    date: place.dataset.day,
    timeZone: ahead(place.dataset.zone),
    locale: language === "en" ? "en-GB" : language,  // as the other dates of the house are written
    firstDay: Number(place.dataset.firstDay),
    resources: columns,
    resourceLabelContent: ({ resource }) => ({ domNodes: [element("span", "", resource.title)] }),
    headerToolbar: { start: "prev,today,next", center: "title", end: `${views.day},${views.week},${views.month}` },
    buttonText: { today: texts.today, next: texts.next, prev: texts.prev, [views.day]: texts.day, [views.week]: texts.week, [views.month]: texts.month },
    allDaySlot: false,
    dayMaxEvents: true,
    nowIndicator: true,
    slotDuration: "00:15",
    slotHeight: 22,
    height: "max(34rem, 100vh - 20rem)",
    scrollTime: "07:45",
    dayHeaderFormat: { weekday: "short", day: "numeric", month: "short" },
    views: { resourceTimeGridDay: { columnWidth: columns.length > 7 ? "9rem" : undefined }, resourceTimeGridWeek: { columnWidth: columns.length > 1 ? "8rem" : undefined }, dayGridMonth: { dayHeaderFormat: { weekday: "short" }, height: "54rem" } },
    displayEventEnd: false,
    slotLabelInterval: "01:00",
    slotMinTime: "07:00",
    slotMaxTime: "19:00",
    slotEventOverlap: false,
    eventTimeFormat: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    slotLabelFormat: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    moreLinkContent: ({ num }) => `+${num} ${texts.more}`,
    eventStartEditable: mayMove,
    eventDurationEditable: false,
    longPressDelay: 400,
    eventContent: content,
    eventDidMount: dressed,
    eventClick: ({ event }) => { if (event.display !== "background") location.assign(event.extendedProps.address); },
    eventDragStart: () => { isDragging = true; },
    eventDragStop: () => { isDragging = false; },
    eventDrop: dropped,
    dateClick: begin,
    datesSet: turned,
  });
  // The calendar says that it is a table without keeping to what a table holds; each appointment and day names itself.
  const ROLES = ["table", "rowgroup", "row", "columnheader", "rowheader", "cell"].map((role) => `[role=${role}]`).join();
  const plain = () => {
    for (const part of place.querySelectorAll(".ec-main:not([tabindex])")) part.tabIndex = 0; // it scrolls by keyboard too
    for (const part of place.querySelectorAll(ROLES)) {
      for (const name of part.getAttributeNames()) if (name === "role" || /^aria-(row|col)/.test(name)) part.removeAttribute(name);
    }
  };
  new MutationObserver(plain).observe(place, { childList: true, subtree: true });
  plain();
  place.addEventListener("changed", refresh);
  if (!shown) turned({ start: calendar.getView().activeStart, end: calendar.getView().activeEnd, view: calendar.getView() });
  else refresh();
})();
