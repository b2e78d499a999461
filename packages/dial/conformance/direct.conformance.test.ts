import { describeDial } from '@sallyport/conformance'
import { createSocketNetwork } from '@sallyport/test-fixtures'
import { createDirectDial } from '../src/index.ts'

describeDial('direct', {
  async open() {
    const network = createSocketNetwork()
    return {
      dial: createDirectDial({
        lookup(hostname, _options, callback) {
          // A name service that never answers; any other name does not exist.
          if (hostname !== 'silent.test') callback(Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' }), '', 4)
        },
      }),
      serve: network.serve,
      unused: network.unused,
      idle: network.idle,
      silent: async () => ({ host: 'silent.test', port: 1 }),
      refusals: async () => [
        { what: 'a name that does not exist', address: { host: 'nowhere.test', port: 1 }, code: 'BACKEND_UNREACHABLE' },
      ],
      [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
    }
  },
  features: { silence: true, locations: false, refusals: true },
})
