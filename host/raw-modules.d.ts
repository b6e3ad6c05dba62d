// Guest sources and other texts are compiled into the build as strings: `import text from './guest/app.lua?raw'`.
// Vite understands the suffix by itself; tsup learns it in tsup.config.ts.
declare module '*?raw' {
  const text: string
  export default text
}
