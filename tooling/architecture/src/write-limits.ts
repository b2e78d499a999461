// Writes docs/limits.md anew from the limits.ts of every package.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { limitsDocument } from './limits-document.ts'
import { root } from './workspace.ts'

writeFileSync(join(root, 'docs', 'limits.md'), limitsDocument())
