// What takes too long, in every way there is. `served` lives in the interpreter: it tells whether that is the same one.
let served = 0
let isReleased = false

const spin = () => {
  for (;;);
}

uwsgi.registerRpc('spin', spin)
uwsgi.registerRpc('ping', () => 'pong')
uwsgi.registerSignal(5, 'worker1', spin)
uwsgi.registerSignal(6, 'mule1', spin)
uwsgi.muleMsgHook = (message) => {
  if (String(message) === 'spin') {
    uwsgi.lock()
    spin()
  }
  uwsgi.cacheUpdate('mule', String(message))
}
uwsgi.spooler = (job) => {
  if (String(job.what) === 'spin') spin()
  uwsgi.cacheUpdate('spooler', String(job.what))
  return uwsgi.SPOOL_OK
}

const paths = {
  '/loop': spin,
  '/swallow': () => {
    for (;;) {
      try {
        spin()
      } catch {
        // On and on.
      }
    }
  },
  // A native function that looks at nothing.
  '/stubborn': () => new Array(2 ** 28).join(),
  '/stubborn-user': () => {
    uwsgi.setUserHarakiri(1)
    return new Array(2 ** 28).join()
  },
  '/user': () => {
    uwsgi.setUserHarakiri(1)
    spin()
  },
  '/begun': () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode('begun ')),
        pull: spin,
      }),
    ),
  '/lock': () => {
    uwsgi.lock()
    spin()
  },
  '/locked': () => String(uwsgi.isLocked()),
  '/wait': async () => {
    while (!isReleased) {
      uwsgi.asyncSleep(0.01)
      await uwsgi.suspend()
    }
    return 'waited'
  },
  '/sleep': async () => {
    uwsgi.asyncSleep(1.5)
    await uwsgi.suspend()
    return 'slept'
  },
  // Each stretch is far too short to be asked anything.
  '/stretches': async () => {
    for (;;) {
      for (let round = 0; round < 5000; round += 1);
      uwsgi.asyncSleep(0.0001)
      await uwsgi.suspend()
    }
  },
  '/timers': async () => {
    for (;;) {
      for (let round = 0; round < 5000; round += 1);
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
  },
  '/promises': async () => {
    for (;;) await null
  },
  '/release': () => {
    isReleased = true
    return 'released'
  },
  '/signal': () => String(uwsgi.signal(5)),
  '/mule-signal': () => String(uwsgi.signal(6)),
  '/mule': () => String(uwsgi.muleMsg('spin') && uwsgi.muleMsg('next')),
  '/spool': () => {
    uwsgi.spool({ what: 'spin' })
    return String(uwsgi.spool({ what: 'next' }) !== undefined)
  },
  '/seen': () => `${uwsgi.cacheGet('mule')} ${uwsgi.cacheGet('spooler')}`,
}

export default async (request) => {
  served += 1
  const run = paths[new URL(request.url).pathname]
  if (run === undefined) return new Response(`served ${served}`)
  const answer = await run()
  return answer instanceof Response ? answer : new Response(answer)
}
