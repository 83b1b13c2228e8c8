'use strict'

const Redis = require('ioredis')

const connection = module.exports

connection.connect = async function (options) {
  return new Promise((resolve, reject) => {
    const socketOrHost = options.host
    let client
    if (options.cluster) {
      client = new Redis.Cluster(options.cluster, options.options)
    } else if (options.sentinels) {
      client = new Redis({ sentinels: options.sentinels, ...options.options })
    } else if (socketOrHost && String(socketOrHost).indexOf('/') >= 0) {
      client = new Redis({
        ...options.options,
        path: socketOrHost,
        password: options.password,
        db: options.database,
      })
    } else {
      client = new Redis({
        ...options.options,
        host: socketOrHost,
        port: options.port,
        password: options.password,
        db: options.database,
      })
    }

    client.on('error', (error) => {
      console.error(error.stack)
      reject(error)
    })
    client.on('ready', () => {
      // The rest of the code calls a pipeline a batch.
      client.batch = client.pipeline
      resolve(client)
    })
  })
}
