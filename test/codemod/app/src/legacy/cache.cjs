'use strict'
const Redis = require('ioredis')

/** @param {import('ioredis').Redis} redis */
exports.cachesInCommonJs = async function (redis) {
  await redis.set('js', JSON.stringify({ a: 1 }), 'EX', 60)
  return JSON.parse(await redis.get('js'))
}

exports.ownClientInCommonJs = async function () {
  const client = new Redis(process.env.REDIS_URL, { db: 3 })
  client.on('error', function (error) {
    console.error(error)
  })
  const reply = await client.hmset('h', { a: 1, b: 'two' })
  const all = await client.hgetall('h')
  await client.quit()
  return { reply, all }
}

exports.callbacksInCommonJs = function () {
  const client = new Redis(process.env.REDIS_URL)
  return new Promise(function (resolve, reject) {
    client.set('cb', 'x', function (error) {
      if (error) return reject(error)
      client.get('cb', function (error, value) {
        client.disconnect()
        if (error) reject(error)
        else resolve(value)
      })
    })
  })
}

exports.errorClassInCommonJs = function () {
  const client = new Redis(process.env.REDIS_URL)
  return client
    .set('text', 'abc')
    .then(() => client.incr('text'))
    .catch((error) => [error instanceof Redis.ReplyError, error.message])
    .finally(() => client.disconnect())
}

exports.multiInsideAPipelineInCommonJs = async function () {
  const client = new Redis(process.env.REDIS_URL)
  const results = await client.pipeline().get('before').multi().set('in', '1').get('in').exec().get('after').exec()
  client.disconnect()
  return results
}

exports.nodeifyInCommonJs = function () {
  const client = new Redis(process.env.REDIS_URL)
  return new Promise(function (resolve) {
    client.set('k', 'v').then(() => client.get('k', (error, value) => resolve([error, value, client.disconnect()])))
  })
}

exports.pipelineInCommonJs = function () {
  const client = Redis.createClient(process.env.REDIS_URL)
  return client
    .pipeline()
    .sadd('s', 1, 2)
    .scard('s')
    .exec()
    .then(function (results) {
      client.disconnect()
      return results.map(function (pair) {
        return pair[1]
      })
    })
}
