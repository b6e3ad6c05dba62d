// Build: the library, the command, the worker's entry and each binding as a separate ES module below dist/, since threads
// load the last two by URL. Shared code goes into chunks beside them.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'host/index.ts',
    cli: 'host/cli.ts',
    'worker-entry': 'host/worker/entry.ts',
    'describe-entry': 'host/worker/describe-entry.ts',
    'check-plugin': 'host/build/check-entry.ts',
    plugin: 'host/plugin/index.ts',
    protocol: 'protocol/index.ts',
    'bindings/js': 'bindings/js/index.ts',
    'bindings/lua': 'bindings/lua/index.ts',
    'bindings/python': 'bindings/python/index.ts',
    'plugins/rpc': 'host/plugins/rpc.ts',
    'plugins/cache': 'host/plugins/cache.ts',
    'plugins/signal': 'host/plugins/signal.ts',
    'plugins/ping': 'host/plugins/ping.ts',
    'plugins/echo': 'host/plugins/echo.ts',
  },
  format: 'esm',
  target: 'node26',
  platform: 'node',
  splitting: true,
  sourcemap: true,
  outDir: 'dist',
  // Chunks are named by their content: those of earlier builds must go. The standard library takes long to build and stays.
  clean: ['!python-stdlib.*'],
  esbuildPlugins: [
    {
      // `import text from './x.lua?raw'`: the file's text as a string, as Vite has it.
      name: 'raw',
      setup(build) {
        build.onResolve({ filter: /\?raw$/ }, (args) => ({
          path: join(dirname(args.importer), args.path.slice(0, -'?raw'.length)),
          namespace: 'raw',
        }))
        build.onLoad({ filter: /.*/, namespace: 'raw' }, async (args) => ({
          contents: await readFile(args.path, 'utf8'),
          loader: 'text',
          watchFiles: [args.path],
        }))
      },
    },
  ],
})
