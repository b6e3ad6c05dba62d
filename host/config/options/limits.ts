// Option group: how much of a server one guest may take. Memory is memory-limit, time is harakiri (workers.ts).
import type { Option } from '../option.ts'

export const limits = [
  {
    name: 'response-limit',
    group: 'requests',
    type: 'size',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    default: 0,
    help: 'How large the body of a response may be: what an app writes past it is an error in the app, and the response is a 500, or is cut where it has begun. 0 sets no limit. What the master fetches for an app (offloaded transfers, RPC answers) is not counted.',
    effect: 'works',
  },
  {
    name: 'cpu-limit',
    group: 'workers',
    type: 'seconds',
    min: 0,
    default: 0,
    help: 'Answer 504 to a request whose code has taken more CPU time than this, and stop it as harakiri does: waiting costs nothing. Each signal handler, RPC call by another thread, message of a mule and job of a spooler may take as much. 0: any. Not in uWSGI.',
    effect: 'works',
  },
  {
    name: 'guest-fds',
    group: 'workers',
    type: 'integer',
    min: 1,
    max: 1_000_000,
    unit: 'descriptors',
    help: 'How many connections the guests of one worker, mule or spooler may have open, and how many files each of its interpreters. Unless given: 1024 connections, and 16 more for each core where there are several; 128 files.',
    effect: 'works',
  },
  {
    name: 'log-rate',
    group: 'logging',
    type: 'integer',
    min: 0,
    max: 1_000_000,
    default: 0,
    unit: 'lines',
    help: 'How many lines a second the guests of one worker, mule or spooler may log; one line tells how many more there were. Lines of requests, and of the server itself, are not counted. 0 sets no limit.',
    effect: 'works',
  },
] as const satisfies readonly Option[]
