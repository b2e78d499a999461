#!/usr/bin/env node
/**
 * The `sallyport` command: local stack, servers, cloud connector and tools. This file checks the Node it runs on, before anything that an older one cannot load.
 *
 * @packageDocumentation
 */
const wanted = 24

if (Number(process.versions.node.split('.')[0]) < wanted) {
  process.stderr.write(
    `Sallyport needs Node ${wanted} or newer, and this is ${process.version}. In a checkout, "npx -y pnpm@12 sallyport <command>" brings the right one.\n`,
  )
  process.exitCode = 1
} else {
  const { runCommandLine } = await import('./cli/run.ts')
  await runCommandLine(process.argv)
}
