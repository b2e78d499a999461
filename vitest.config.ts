import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const packageFolder = process.cwd()
const manifest = join(packageFolder, 'package.json')
const packageName = existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')) as { name: string }).name : 'workspace'
const reportName = packageName.replace('@sallyport/', '')

/** One configuration for every package: run from a package folder, it writes `reports/<package>.json` at the root. */
export default defineConfig({
  resolve: { conditions: ['@sallyport/source'] },
  ssr: { resolve: { conditions: ['@sallyport/source'], externalConditions: ['@sallyport/source'] } },
  test: {
    root: packageFolder,
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    reporters: ['default', 'json'],
    outputFile: { json: join(import.meta.dirname, 'reports', `${reportName}.json`) },
    setupFiles: ['generated-inputs.ts', 'refused-warnings.ts'].map((name) => join(import.meta.dirname, 'tooling', name)),
    passWithNoTests: false,
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
})
