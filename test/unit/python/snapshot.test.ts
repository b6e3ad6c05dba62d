// Interpreters that boot from the memory of an earlier one, and what they do not share with it.
import { expect, test } from 'vitest'
import { loadImage, type PythonImage } from '../../../bindings/python/image.ts'
import { Interpreter } from '../../../bindings/python/runtime.ts'
import { Snapshot } from '../../../bindings/python/snapshot.ts'
import type { GuestAccess } from '../../../host/api/guest-access.ts'
import { testAccess } from '../../support/api-context.ts'

const memoryLimit = 256 * 2 ** 20

/** Boots an interpreter, and gives what this code leaves in `result`. */
const boot = async (
  image: PythonImage,
  environment: Readonly<Record<string, string>> = {},
): Promise<(code: string) => string> => {
  const access: GuestAccess = {
    isSandboxed: false,
    environment: new Map(Object.entries(environment)),
    roots: [],
    openFiles: () => testAccess.openFiles(),
    mayRead: () => false,
    mayWrite: () => false,
  }
  const interpreter = await Interpreter.boot({ image, access, log: { text: () => {}, bytes: () => {} }, memoryLimit })
  return (code) =>
    interpreter.enter((api) => api.strText(interpreter.lookUp(interpreter.runGuestFile('test', code), 'result')) as string)
}

const secretOfHashes = "result = str(hash('spam'))"

test('the second boot goes on from where the first one started', async () => {
  const image = await loadImage()
  expect(Snapshot.open(image.snapshot).isThere).toBe(false)
  const first = await boot(image)
  expect(Snapshot.open(image.snapshot).isThere).toBe(true)
  const later = [await boot(image), await boot(image)]
  for (const run of later) expect(run(secretOfHashes)).toBe(first(secretOfHashes))
  // Another server has another secret.
  expect((await boot(await loadImage()))(secretOfHashes)).not.toBe(first(secretOfHashes))
})

test.each([
  ['random', 'import random\nresult = str(random.random())'],
  ['the bits of random', 'import random\nresult = str(random.getrandbits(64))'],
  ['secrets', 'import secrets\nresult = secrets.token_hex(8)'],
  ['uuid4', 'import uuid\nresult = str(uuid.uuid4())'],
  ['uuid1', 'import uuid\nresult = str(uuid.uuid1())'],
  ['the node of uuid', 'import uuid\nresult = str(uuid.getnode())'],
  ['tempfile', 'import tempfile\nresult = tempfile.mktemp()'],
  ['the boundary of email', "import email.generator\nresult = email.generator.Generator._make_boundary('x')"],
  ['os.urandom', 'import os\nresult = os.urandom(8).hex()'],
])('what interpreters of one snapshot draw differs: %s', async (_what, code) => {
  const image = await loadImage()
  const drawn = new Set<string>()
  for (let n = 0; n < 3; n += 1) drawn.add((await boot(image))(code))
  expect(drawn.size).toBe(3)
})

test('nothing that holds random numbers is imported when it is taken', async () => {
  const run = await boot(await loadImage())
  expect(run("import sys\nresult = ' '.join({'random', 'uuid', 'secrets', 'tempfile'} & set(sys.modules))")).toBe('')
})

test('one of another environment starts in the ordinary way', async () => {
  const image = await loadImage()
  const first = await boot(image, { GREETING: 'hello' })
  const second = await boot(image, { GREETING: 'good morning' })
  const third = await boot(image, { GREETING: 'hello' })
  const greeting = "import os\nresult = os.environ['GREETING']"
  expect([first(greeting), second(greeting), third(greeting)]).toEqual(['hello', 'good morning', 'hello'])
  expect(second(secretOfHashes)).not.toBe(first(secretOfHashes))
  expect(third(secretOfHashes)).toBe(first(secretOfHashes))
})

test("one that nobody finishes is nobody's", async () => {
  const image = await loadImage()
  // What a thread leaves that is ended while it takes it.
  Atomics.store(new Int32Array(image.snapshot), 0, 1)
  const [first, second] = [await boot(image), await boot(image)]
  expect(first('result = str(6 * 7)')).toBe('42')
  expect(second(secretOfHashes)).not.toBe(first(secretOfHashes))
})
