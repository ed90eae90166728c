// Defines Promise.withResolvers, which the SDK needs and Node has since version 22. Import it before the SDK.
Promise.withResolvers ??= function withResolvers() {
  let resolve;
  let reject;
  const promise = new this((whenDone, whenFailed) => {
    resolve = whenDone;
    reject = whenFailed;
  });
  return { promise, resolve, reject };
};
