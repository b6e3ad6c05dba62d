// API group: timers, cron and file monitors, which raise signals.
import { cronRanges } from '../cron-fields.ts'
import type { ApiEntry } from '../kinds.ts'

const signum = { name: 'signum', type: 'int', min: 0, max: 255, doc: 'The signal to raise.' } as const

/** Every worker, mule and spooler loads the apps, and so do respawns. */
const once = 'One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.'

export const clocks = [
  {
    shape: 'function',
    name: 'add_timer',
    group: 'clocks',
    kind: 'blocking',
    params: [
      signum,
      { name: 'seconds', type: 'int', min: 0, unit: 's', doc: 'The period; the first signal comes after it. 0 never fires.' },
    ],
    returns: 'none',
    raises: ['ValueError: unable to add timer (there are 64 already)', 'ValueError: an argument is out of range'],
    doc: `Raises a signal every so many seconds. Times that were missed are one.
${once}
Differs from uWSGI: a negative period is refused.`,
    example: { js: 'uwsgi.addTimer(17, 60)', lua: 'uwsgi.add_timer(17, 60)', python: 'uwsgi.add_timer(17, 60)' },
  },
  {
    shape: 'function',
    name: 'add_ms_timer',
    group: 'clocks',
    kind: 'blocking',
    params: [
      signum,
      {
        name: 'milliseconds',
        type: 'int',
        min: 0,
        unit: 'ms',
        doc: 'The period; the first signal comes after it. 0 never fires.',
      },
    ],
    returns: 'none',
    raises: ['ValueError: unable to add timer (there are 64 already)', 'ValueError: an argument is out of range'],
    doc: `As \`add_timer\`, with a period in milliseconds.
${once}`,
    example: { js: 'uwsgi.addMsTimer(17, 250)', lua: 'uwsgi.add_ms_timer(17, 250)', python: 'uwsgi.add_ms_timer(17, 250)' },
  },
  {
    shape: 'function',
    name: 'add_rb_timer',
    group: 'clocks',
    kind: 'blocking',
    params: [
      signum,
      {
        name: 'seconds',
        type: 'int',
        min: 0,
        unit: 's',
        doc: 'The period; the first signal comes after it. With 0 it comes at once.',
      },
      { name: 'iterations', type: 'int', default: 0, min: 0, doc: 'How many signals there will be; 0 for ever.' },
    ],
    returns: 'none',
    raises: ['ValueError: unable to add rb_timer (there are 64 already)', 'ValueError: an argument is out of range'],
    doc: `Raises a signal every so many seconds, so many times.
${once}
Differs from uWSGI: it is as exact as \`add_timer\`, not to the second, and gives its place back when it has fired for the
last time. With neither a period nor an end it fires each second, as in uWSGI.`,
    example: { js: 'uwsgi.addRbTimer(17, 10, 3)', lua: 'uwsgi.add_rb_timer(17, 10, 3)', python: 'uwsgi.add_rb_timer(17, 10, 3)' },
  },
  {
    shape: 'function',
    name: 'add_cron',
    group: 'clocks',
    kind: 'blocking',
    params: [
      signum,
      { name: 'minute', type: 'int', ...cronRanges.minute, doc: '0 to 59; -1 any, -N every minute that N divides.' },
      { name: 'hour', type: 'int', ...cronRanges.hour, doc: '0 to 23; negative as above.' },
      { name: 'day', type: 'int', ...cronRanges.day, doc: 'Of the month, 1 to 31; negative as above.' },
      { name: 'month', type: 'int', ...cronRanges.month, doc: '1 to 12; negative as above.' },
      { name: 'week', type: 'int', ...cronRanges.week, doc: 'Day of the week, Sunday 0 or 7; negative as above.' },
    ],
    returns: 'true',
    always: true,
    raises: ['ValueError: unable to add cron (there are 64 already)', 'ValueError: an argument is out of range'],
    doc: `Raises a signal in each minute of local time that fits; with both a day and a week, when either fits. A minute that
fits right now counts.
${once}
Differs from uWSGI: values no calendar has are refused, and signals come at the beginning of their minute.`,
    example: {
      js: 'uwsgi.addCron(17, 30, 2, -1, -1, -1) // each night at half past two',
      lua: 'uwsgi.add_cron(17, 30, 2, -1, -1, -1) -- each night at half past two',
      python: 'uwsgi.add_cron(17, 30, 2, -1, -1, -1)  # each night at half past two',
    },
  },
  {
    shape: 'function',
    name: 'add_file_monitor',
    group: 'clocks',
    kind: 'blocking',
    params: [
      signum,
      { name: 'path', type: 'text', doc: 'A file, or a directory, of which what lies in it counts, but not deeper.' },
    ],
    returns: 'none',
    raises: [
      'ValueError: unable to add file monitor (no such path, or there are 64 already)',
      'ValueError: an argument is out of range',
    ],
    doc: `Raises a signal whenever the file or directory changes.
${once}
Differs from uWSGI: a path that is not there is refused, and a file that is replaced, as editors do, is still watched.`,
    example: {
      js: "uwsgi.addFileMonitor(17, '/tmp')",
      lua: "uwsgi.add_file_monitor(17, '/tmp')",
      python: "uwsgi.add_file_monitor(17, '/tmp')",
    },
  },
] as const satisfies readonly ApiEntry[]
