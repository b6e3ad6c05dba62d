// Ends a run with one line of counts: `N passed, N failed, N skipped`.
import type { Reporter, TestModule } from 'vitest/node'

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0
    let failed = 0
    let skipped = 0
    for (const module of modules) {
      const failedBefore = failed
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed += 1
        else if (state === 'failed') failed += 1
        else skipped += 1
      }
      // A file that could not be loaded, or whose hooks failed, has no failed test to count, and must not go unnoticed.
      if (module.state() === 'failed' && failed === failedBefore) failed += 1
    }
    console.log(`${passed} passed, ${failed + errors.length} failed, ${skipped} skipped`)
  }
}
