// Runs first in every script. When the automatic install has failed, pnpm goes on with the machine's own Node;
// this turns the confusing errors that would follow into one sentence. Plain JavaScript, because an old Node runs it.
const wanted = 24
const major = Number(process.versions.node.split('.')[0])
if (major < wanted) {
  console.error(
    `Sallyport needs Node ${wanted} or newer, but this script runs on ${process.version}: the install that brings the pinned Node has failed. ` +
      'Run "npx -y pnpm@12 install" and read its message.',
  )
  process.exit(1)
}
