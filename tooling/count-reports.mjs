// Sums the Vitest reports below reports/ and prints "N passed, N failed, N skipped" as its last line.
// Exit status 1 when a test failed, a report says it did not succeed, or there is no report at all.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..', 'reports')
const reports = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []
let passed = 0
let failed = 0
let skipped = 0
let broken = reports.length === 0
for (const name of reports) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'))
  passed += report.numPassedTests
  failed += report.numFailedTests
  skipped += report.numPendingTests + report.numTodoTests
  if (!report.success) {
    broken = true
    console.log(`${name}: not successful`)
    for (const suite of report.testResults) {
      if (suite.status === 'failed' && suite.assertionResults.length === 0) failed += 1
      for (const test of suite.assertionResults) if (test.status === 'failed') console.log(`  ${test.fullName}`)
    }
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = broken || failed > 0 ? 1 : 0
