// Copied into the folder of an installed adapter. Uses the adapter against a server that hangs up at once: it and its library are loaded, connect,
// and say what happened. Prints the code that a ping ended with.
const { connect, createServer } = require('node:net')

module.exports = async function useAdapter(
  adapter,
  { credentialsOf, parseDestination, silentLogger, systemClock },
  { factory, binding, properties },
) {
  const server = createServer((socket) => socket.on('error', () => {}).destroy())
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  const dial = () =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      socket.once('connect', () => resolve(socket)).once('error', reject)
    })
  const written = JSON.parse(JSON.stringify(properties).replaceAll('$port', port))
  const destination = parseDestination(written)
  const engines = binding === undefined ? {} : { bindings: [adapter[binding]({ allowPlaintext: true })] }
  const signal = AbortSignal.timeout(20_000)
  const context = { dial, credentials: credentialsOf(written), signal, log: silentLogger }
  const client = await adapter[factory]({ clock: systemClock, ...engines }).connect(destination, context)
  const code = await client.ping(signal).then(
    () => 'OK',
    (error) => error.code ?? error,
  )
  await client[Symbol.asyncDispose]()
  server.close()
  if (typeof adapter.connect !== 'function') throw new Error('there is no connect()')
  console.log(`ping: ${code}`)
}
