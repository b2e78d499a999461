// Removes the reports of an earlier run, so that a package that no longer writes one cannot pass with an old result.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const reports = join(import.meta.dirname, '..', 'reports')
rmSync(reports, { recursive: true, force: true })
mkdirSync(reports, { recursive: true })
