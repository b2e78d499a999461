// Opens many connections to a port of this machine, sends the same few bytes on each and leaves them open.
// Prints the number of open ones when all are there, and again whenever a line arrives on standard input.
import { connect } from 'node:net'

const [port, count, bytes] = process.argv.slice(2)
const opening = Buffer.from(bytes ?? '', 'hex')
const open = new Set()
let left = Number(count)

function openOne() {
  if (left === 0) return
  left -= 1
  const socket = connect(Number(port), '127.0.0.1', () => {
    open.add(socket)
    socket.write(opening)
    if (open.size === Number(count)) process.stdout.write(`${open.size}\n`)
    openOne()
  })
  socket.on('error', () => {})
  socket.on('close', () => open.delete(socket))
}
for (let at = 0; at < 100; at += 1) openOne()
process.stdin.on('data', () => process.stdout.write(`${open.size}\n`))
process.stdin.on('end', () => process.exit(0))
