// Children of the benchmark end with everything they forked, and what they said before is kept.
import { describe, expect, it } from 'vitest'
import { processTree, residentBytes, stillAlive, treeMemory } from '../../../bench/proc-files.ts'
import { runToEnd, startChild, stopAllChildren } from '../../../bench/processes.ts'

const patienceMs = 60_000

/** A shell with a child of its own. */
async function startFamily() {
  const child = await startChild('family', 'sh', ['-c', 'sleep 600 & echo ready; wait'])
  await child.waitForOutput('ready', patienceMs)
  return child
}

describe('startChild', () => {
  it('ends the descendants with the process', async () => {
    const child = await startFamily()
    const family = processTree(child.pid)
    expect(family).toHaveLength(2)
    expect(family.map(stillAlive)).toEqual([true, true])
    await child.stop()
    expect(child.hasEnded()).toBe(true)
    await expect.poll(() => family.map(stillAlive), { timeout: patienceMs }).toEqual([false, false])
  })

  it('can be stopped twice, and all at once', async () => {
    const children = await Promise.all([startFamily(), startFamily()])
    await stopAllChildren()
    expect(children.map((child) => child.hasEnded())).toEqual([true, true])
    await children[0]!.stop()
  })

  it('rejects when there is no such program', async () => {
    await expect(startChild('nothing', '/nonexistent/program', [])).rejects.toThrow('nothing cannot be started: spawn')
  })

  it('says what a process said when it ends before it is ready', async () => {
    const child = await startChild('talker', 'sh', ['-c', 'echo no such port >&2'])
    await expect(child.waitForOutput('ready', patienceMs)).rejects.toThrow('talker ended before it said "ready":\nno such port')
  })

  it('gives up on a process that never says it is ready', async () => {
    const child = await startFamily()
    await expect(child.waitForOutput('something else', 1)).rejects.toThrow('family did not say "something else" in 1 ms')
    await child.stop()
  })
})

describe('runToEnd', () => {
  it('gives what was printed', async () => {
    expect(await runToEnd('echo', ['one', 'two'])).toBe('one two\n')
  })

  it('rejects with what was said on stderr', async () => {
    await expect(runToEnd('sh', ['-c', 'echo broken >&2; exit 3'])).rejects.toThrow('broken')
  })
})

describe('memory', () => {
  it('is measured over the whole family, shared pages once in the proportional size', async () => {
    const child = await startFamily()
    const { rssBytes, pssBytes } = treeMemory(child.pid)
    expect(pssBytes).toBeGreaterThan(0)
    expect(rssBytes).toBeGreaterThanOrEqual(pssBytes)
    const family = processTree(child.pid)
    expect(residentBytes(family)).toBeGreaterThan(residentBytes(family.slice(0, 1)))
    await child.stop()
    expect(processTree(child.pid)).toEqual([])
  })

  it('is nothing for a process that has ended', () => {
    expect(residentBytes([{ pid: 2 ** 30, startTime: '0' }])).toBe(0)
  })
})
