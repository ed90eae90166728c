// Promise.withResolvers, which the SDK needs and Node has from version 22 on. To be imported before the SDK.
Promise.withResolvers ??= function withResolvers() {
  let resolve;
  let reject;
  const promise = new this((whenDone, whenFailed) => {
    resolve = whenDone;
    reject = whenFailed;
  });
  return { promise, resolve, reject };
};
