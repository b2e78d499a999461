/**
 * Fails a test run in which somebody adds a listener for every event and takes none away: Node prints a line about that, which nobody reads. Of the
 * warning only its text and place are thrown: it holds the emitter and everything that hangs on it.
 */
process.on('warning', ({ message, name, stack }) => {
  if (name === 'MaxListenersExceededWarning') throw Object.assign(new Error(message), { stack })
})
