// Our own Python files, run once in each interpreter, and the parts of the binding that are made from what they define.
import type { WorkerContext } from '../../host/plugin/plugin.ts'
import { AsyncRequests } from './asgi.ts'
import { AsyncCalls } from './async-calls.ts'
import { blockingFunctions } from './blocking.ts'
import { Callbacks } from './callbacks.ts'
import type { Pointer } from './capi.ts'
import { LoopConnections } from './connections.ts'
import { coreFunctions } from './core-functions.ts'
import { EventLoop } from './event-loop.ts'
import appKindsSource from './guest/app_kinds.py?raw'
import asyncioSetupSource from './guest/asyncio_setup.py?raw'
import callbacksSource from './guest/callbacks.py?raw'
import coresSource from './guest/cores.py?raw'
import errorsSource from './guest/errors.py?raw'
import loaderSource from './guest/loader.py?raw'
import setupSource from './guest/setup.py?raw'
import wsgiSource from './guest/wsgi.py?raw'
import type { HostFunctionDefinition } from './host-function.ts'
import type { Interpreter } from './runtime.ts'
import { SoftStops } from './soft-stops.ts'
import { mountPythonPath } from './sources.ts'
import { Spaces } from './spaces.ts'
import { type Call, WsgiCalls } from './wsgi-calls.ts'

export interface GuestCode {
  readonly calls: WsgiCalls
  readonly loop: EventLoop
  readonly asyncRequests: AsyncRequests
  readonly spaces: Spaces
  readonly callbacks: Callbacks
  // Of guest/loader.py.
  readonly load: Pointer
  readonly importFile: Pointer
  readonly runScript: Pointer
  readonly knowsModule: Pointer
  readonly runModule: Pointer
  // Of guest/setup.py and guest/wsgi.py.
  readonly atExit: Pointer
  readonly openBody: Pointer
  readonly makeTemplate: Pointer
  readonly bytesIo: Pointer
}

export const runGuestCode = (
  interpreter: Interpreter,
  context: Pick<WorkerContext, 'log' | 'pythonPath' | 'server' | 'stops'>,
): GuestCode => {
  const { api } = interpreter
  const { c } = api
  /** A new reference. */
  const held = (object: Pointer): Pointer => {
    c.Py_IncRef(object)
    return object
  }
  const look = (namespace: Pointer, name: string): Pointer => held(interpreter.lookUp(namespace, name))
  const functions = (definitions: readonly HostFunctionDefinition[]): Record<string, Pointer> => {
    const pointers = interpreter.hostFunctions(definitions, 'polywsgi')
    return Object.fromEntries(definitions.map(({ name }, index) => [name, pointers[index]!]))
  }
  const { cores } = interpreter
  const { cpu } = context.stops
  if (cores !== undefined) cores.cpu = cpu
  const softStops = new SoftStops(interpreter, context.stops)
  if (cores !== undefined) interpreter.runGuestFile('cores', coresSource, functions(coreFunctions(api, cores)))
  const { sleep, ...derivations } = functions(blockingFunctions(api, cores))
  const loop = new EventLoop(interpreter, context.log, cpu)
  c.Py_IncRef(sleep!)
  const setup = interpreter.runGuestFile('setup', setupSource, { host_sleep: sleep!, ...derivations })
  // The core that imported it first would be the main thread to it.
  if (cores !== undefined) c.Py_DecRef(c.PyImport_ImportModule(api.name('threading')))
  const errors = interpreter.runGuestFile('errors', errorsSource)
  const callbacks = interpreter.runGuestFile('callbacks', callbacksSource)
  const calls = new WsgiCalls(api, {
    ...{ log: context.log, mounts: interpreter.mounts, waits: context.server.waits, cores },
  })
  const wsgi = interpreter.runGuestFile('wsgi', wsgiSource, {
    ...functions(calls.definitions()),
    describe: look(errors, 'describe'),
    Harakiri: held(api.harakiri),
  })
  calls.setClientGone(look(wsgi, 'ClientGone'))
  const asyncRequests = new AsyncRequests(interpreter, loop, context.log)
  const asyncCalls = new AsyncCalls(interpreter, loop, {
    ...{ requests: asyncRequests, log: context.log, mounts: interpreter.mounts, clientGone: look(wsgi, 'ClientGone') },
  })
  softStops.onStop = (reason) => asyncRequests.stopCurrent(reason)
  calls.findOther = (serial) => asyncRequests.find(serial)
  const connections = new LoopConnections(interpreter, loop, context.server)
  const asyncioSetup = interpreter.runGuestFile('asyncio_setup', asyncioSetupSource, {
    ...functions([...loop.definitions(), ...asyncCalls.definitions(), ...connections.definitions()]),
    host_sleep: sleep!,
    told_stop: held(softStops.toldStop),
    encode: look(errors, 'encode'),
    describe: look(errors, 'describe'),
    ClientGone: look(wsgi, 'ClientGone'),
    head_of: look(wsgi, 'head_of'),
    refuse_chunk: look(wsgi, 'refuse_chunk'),
    open_body: look(wsgi, 'open_body'),
  })
  loop.setUp(asyncioSetup)
  const appKinds = interpreter.runGuestFile('app_kinds', appKindsSource, {
    use: look(asyncioSetup, 'use'),
    make_handler: look(wsgi, 'make_handler'),
  })
  const loader = interpreter.runGuestFile('loader', loaderSource, {
    describe: look(errors, 'describe'),
    handler_of: look(appKinds, 'handler_of'),
    NotAnApplication: look(appKinds, 'NotAnApplication'),
  })
  const spaces = new Spaces(interpreter, {
    spaceOf: look(loader, 'space_of'),
    activate: look(loader, 'activate'),
    pythonPath: mountPythonPath(interpreter, context),
  })
  cores?.slots.push(
    {
      get: () => calls.current,
      set: (call) => {
        calls.current = call as Call | undefined
      },
    },
    {
      get: () => spaces.active,
      set: (space, isIdle) => {
        // Between entries, changing back would be for nobody.
        if (!isIdle) spaces.enter(space as Pointer)
      },
    },
  )
  const shared = interpreter.lookUp(asyncioSetup, 'shared')
  const share = (name: string, value: Pointer): void => void c.PyDict_SetItemString(shared, api.name(name), value)
  share('spaces', interpreter.lookUp(loader, 'spaces'))
  share('active_space', interpreter.lookUp(loader, 'active_space'))
  share('enter_space', functions([spaces.definition()])['enter_space'] as Pointer)
  share('runs_for', cpu === undefined ? api.none : (functions([asyncRequests.runsFor(cpu)])['runs_for'] as Pointer))
  const io = c.PyImport_ImportModule(api.name('_io'))
  return {
    calls,
    spaces,
    loop,
    asyncRequests,
    callbacks: new Callbacks(interpreter, spaces, loop, {
      describe: look(errors, 'describe'),
      run: look(asyncioSetup, 'run'),
      checkAnswer: look(callbacks, 'check_answer'),
    }),
    load: look(loader, 'load'),
    importFile: look(loader, 'import_file'),
    runScript: look(loader, 'run_script'),
    knowsModule: look(loader, 'knows_module'),
    runModule: look(loader, 'run_module'),
    atExit: look(setup, 'at_exit'),
    openBody: look(wsgi, 'open_body'),
    makeTemplate: look(wsgi, 'make_template'),
    bytesIo: c.PyObject_GetAttrString(io, api.name('BytesIO')),
  }
}
