// `polywsgi ctl` in the world: the process's own environment and streams, a real socket. Loaded only when it is asked for.
import { runCtl } from './control/ctl.ts'
import { askServer } from './gateway/control-socket.ts'

/** @returns the exit code */
export const ctl = async (args: readonly string[]): Promise<number> =>
  await runCtl(args, {
    env: process.env,
    ask: askServer,
    out: (bytes) => void process.stdout.write(bytes),
    complain: (line) => void process.stderr.write(`${line}\n`),
  })
