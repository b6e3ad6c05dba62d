// Lines of hook options: what is read from them, and what is refused before anything runs.
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../host/errors.ts'
import { BadArgument } from '../../../host/hooks/action.ts'
import { actions } from '../../../host/hooks/actions/index.ts'
import { phaseNames } from '../../../host/hooks/phases.ts'
import { checkActions, type HookPlan, planHooks } from '../../../host/hooks/plan.ts'
import { load } from '../config/world.ts'

const plan = (lines: Record<string, readonly string[]>, hasPlugins = false): HookPlan =>
  planHooks((option) => lines[option] ?? [], { alarms: ['admin'], hasPlugins })

const refusal = (option: string, line: string): string => {
  try {
    plan({ [option]: [line] })
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error(`${option} = ${line} was not refused`)
}

describe('a line of a hook', () => {
  it('is an action and everything after the first colon', () => {
    const [step] = plan({ 'hook-asap': ['print: a:b "c" '] }).phases.asap ?? []
    expect(step).toMatchObject({ action: 'print', argument: ' a:b "c" ', isPrivate: false, label: '"print: a:b "c" "' })
  })

  it('is hidden by a !, in the log and in errors', () => {
    const [step] = plan({ 'hook-asap': ['!putenv:KEY=secret'] }).phases.asap ?? []
    expect(step).toMatchObject({ action: 'putenv', argument: 'KEY=secret', isPrivate: true, label: '--- PRIVATE HOOK ---' })
    expect(step?.text).not.toContain('secret')
    expect(refusal('hook-asap', '!pritn:secret')).toBe(
      "hook-asap = !pritn:...: there is no action 'pritn' (did you mean 'print'?)",
    )
    expect(refusal('hook-asap', '!secret')).not.toContain('secret')
  })

  it('runs before the commands of its phase, and they before the calls', () => {
    const { asap } = plan({ 'call-asap': ['f'], 'exec-asap': ['true'], 'hook-asap': ['print:1', 'print:2'] }).phases
    expect(asap?.map(({ action, argument }) => `${action} ${argument}`)).toEqual(['print 1', 'print 2', 'exec true', 'call f'])
  })

  it('of hook-touch begins with a file', () => {
    const [step] = plan({ 'hook-touch': ['/tmp/x  print:a b'] }).phases.touch ?? []
    expect(step).toMatchObject({ file: '/tmp/x', action: 'print', argument: 'a b' })
    expect(refusal('hook-touch', '/tmp/x')).toBe(
      'hook-touch = /tmp/x: it must be FILE ACTION:ARGUMENTS, as in /tmp/x print:touched',
    )
  })

  it('of a phase that is not given is not there', () => {
    expect(plan({})).toEqual({ phases: {}, afterRequest: [] })
  })

  it('crosses to threads as it is', () => {
    const made = plan({ 'hook-accepting': ['print:x'], 'after-request-hook': ['f'] })
    expect(structuredClone(made)).toEqual(made)
  })
})

describe('refused in the configuration', () => {
  it.each([
    ['hook-asap', 'print', 'hook-asap = print: it must be ACTION:ARGUMENTS, as in print:hello'],
    ['hook-as-root', 'wirte:/x y', "hook-as-root = wirte:/x y: there is no action 'wirte' (did you mean 'write'?)"],
    ['hook-asap', ':x', "hook-asap = :x: there is no action ''"],
    ['hook-asap', 'hostname:x', /polywsgi does not have the action hostname: the host's name belongs to the machine/],
    ['hook-asap', 'mount:proc none /proc', /polywsgi does not have the action mount/],
    ['hook-asap', 'umount:/proc', /polywsgi does not have the action umount/],
    ['hook-post-fork', 'cd:/tmp', /cd cannot run in a worker: all threads share the working directory/],
    ['hook-as-mule', 'chdir:/tmp', /chdir cannot run in a mule/],
    ['hook-accepting', 'exit:1', /exit cannot run in a worker: a thread that ends is started anew/],
    ['hook-accepting1', 'code:p f g k', /code cannot run in a worker/],
    ['hook-accepting-once', 'unix_signal:10 f', /unix_signal cannot run in a worker/],
    ['hook-asap', 'alarm:nope text', "hook-asap = alarm:nope text: no alarm 'nope' is defined, those that are: admin"],
    ['exec-asap', '', 'exec-asap = : exec: needs COMMAND'],
    ['call-asap', '', 'call-asap = : call: needs FUNCTION [TEXT]'],
    ['hook-asap', 'write:/tmp/x', 'hook-asap = write:/tmp/x: write: needs FILE TEXT'],
  ])('%s = %s', (option, line, message) => {
    if (typeof message === 'string') expect(refusal(option, line)).toBe(message)
    else expect(refusal(option, line)).toMatch(message)
  })

  it.each([
    ...['cd', 'mkdir', 'create', 'unlink', 'exec', 'safeexec', 'putenv', 'sticky', 'rpc', 'retryrpc'].map((name) => [name, '']),
    ...['wait_for_fs', 'wait_for_file', 'wait_for_dir', 'wait_for_socket', 'call', 'callret'].map((name) => [name, '']),
    ...['write', 'writen', 'append', 'appendn', 'writefifo', 'spinningfifo', 'alarm'].flatMap((name) => [
      [name, 'onlyone'],
      [name, ' two'],
    ]),
    ['chmod', '/f'],
    ['chmod', '/f rw'],
    ['chmod', '/f 888'],
    ['chmod', '/f 660 1'],
    ['chown', '/f root'],
    ['chown2', '/f root root'],
    ['putenv', '=x'],
    ['exit', '256'],
    ['exit', '-1'],
    ['exit', 'x'],
    ['call', ' f'],
    ['callint', 'f'],
    ['callint', 'f x'],
    ['callintret', 'f 1.5'],
    ['code', 'plugin file function'],
    ['unix_signal', '10'],
    ['unix_signal', '999 f'],
    ['unix_signal', '9 f'],
    ['unix_signal', 'USR1 f'],
    ['rpc', '@127.0.0.1:1'],
    ['rpc', 'f@ x'],
    ['rpc', 'f "x'],
  ])('%s:%s', (name, argument) => {
    expect(() => actions.get(name as string)?.prepare(argument as string)).toThrow(BadArgument)
    // The configuration says so too, whatever else it finds wrong.
    expect(() => plan({ 'hook-asap': [`${name}:${argument}`] })).toThrow(ConfigError)
  })
})

describe('actions of plugins', () => {
  it('are judged when the plugins are there', () => {
    const made = plan({ 'hook-asap': ['shuot:x'] }, true)
    const plugin = { name: 'loud', hookActions: { shout: () => 0 } }
    expect(() => checkActions(made, [plugin], ['master'])).toThrow(
      "hook-asap = shuot:x: there is no action 'shuot' (did you mean 'shout'?)",
    )
    expect(() => checkActions(plan({ 'hook-asap': ['shout:x'] }, true), [plugin], ['master'])).not.toThrow()
  })
})

it('actions of plugins in phases that are not looked at are left alone', () => {
  expect(() => checkActions(plan({ 'hook-accepting': ['shout:x'] }, true), [], ['master'])).not.toThrow()
  expect(() => checkActions(plan({ 'hook-accepting': ['shout:x'] }, true), [], ['master', 'worker'])).toThrow('no action')
})

describe('the options', () => {
  it('are one for each phase, and one for each kind of commands where uWSGI has it', () => {
    const argv = phaseNames.flatMap((phase) => [`--hook-${phase}`, phase === 'touch' ? '/x print:y' : 'print:y'])
    const { settings } = load([...argv, '--exec-as-user', 'true', '--call-post-app', 'f'])
    expect(settings.hookAsap).toEqual(['print:y'])
    expect(settings.hookAccepting1Once).toEqual(['print:y'])
    expect(settings.execAsUser).toEqual(['true'])
    expect(settings.callPostApp).toEqual(['f'])
  })

  it.each([
    ['--hook-post-jail', 'there are no jails'],
    ['--exec-as-vassal', 'there is no emperor'],
    ['--call-as-emperor4', 'there is no emperor'],
    ['--hook-emperor-lost', 'there is no emperor'],
    ['--hook-as-gateway', 'gateways are no processes of their own'],
    ['--mount-asap', 'file systems are mounted by who starts the server'],
  ])('%s is refused with the reason', (option, reason) => {
    expect(() => load([option, 'x'])).toThrow(`polywsgi does not have uWSGI's option '${option}': ${reason}`)
  })
})
