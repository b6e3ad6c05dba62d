// Requests with some weight: a page of 100 KB, an upload of 1 MB, a handler that computes. Straight over HTTP keep-alive.
import { join } from 'node:path'
import { httpRow } from '../comparison.ts'
import type { Plan } from '../load.ts'
import type { Row } from '../row.ts'
import type { Language } from '../servers.ts'
import { defaultConnections } from '../wrk.ts'

const languages: readonly Language[] = ['python', 'lua', 'js']

const uploadBytes = 1048576

const pagePlan: Plan = { connections: defaultConnections, answer: '0123456789abcdef'.repeat(6400) }

const uploadPlan: Plan = {
  connections: defaultConnections,
  script: join(import.meta.dirname, '../wrk-scripts/upload-1mb.lua'),
  probeBody: Buffer.alloc(uploadBytes, 'x'),
  answer: String(uploadBytes),
}

/** The answer of the loop in bench/apps/cpu.*, computed here a fourth time. */
function cpuAnswer(): string {
  let value = 1
  for (let i = 0; i < 140_000; i++) value = (value * 31 + i) % 1_000_003
  return String(value)
}

const cpuPlan: Plan = { connections: defaultConnections, answer: cpuAnswer() }

export const payloadRows: readonly Row[] = [
  ...languages.map((language) => httpRow({ name: 'page', title: 'page of 100 KB', app: 'page', language, plan: pagePlan })),
  ...languages.map((language) =>
    httpRow({ name: 'upload', title: 'upload of 1 MB, read whole', app: 'upload', language, plan: uploadPlan }),
  ),
  ...languages.map((language) =>
    httpRow({
      name: 'cpu',
      title: 'handler that computes for about 5 ms in CPython',
      app: 'cpu',
      language,
      plan: cpuPlan,
      ...(language === 'python' ? { bar: 'pythonCpu' as const } : {}),
    }),
  ),
]
