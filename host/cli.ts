#!/usr/bin/env node
// The command. It knows when to start, when to stop and with which exit code; everything else is an Instance's.
// Nothing is imported before the Node version is known to be new enough: an older one could not even parse the rest.

const oldest = 26

if (Number(process.versions.node.split('.')[0]) < oldest) {
  process.stderr.write(
    `polywsgi needs Node.js ${oldest} or newer, this is ${process.versions.node}. In a checkout: node_modules/.bin/node dist/cli.js\n`,
  )
  process.exit(2)
}

// Who reads the output may have enough before its end: `polywsgi --help | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const { runCommand } = await import('./command.ts')
process.exitCode = await runCommand(process.argv.slice(2))

export {}
