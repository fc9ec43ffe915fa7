// What ThreadSanitizer reports wrongly: Asio counts the owners of a shared executor down with a release and a fence, and fences
// are not modelled. Our own code is not in these frames.
#if defined(__SANITIZE_THREAD__)
extern "C" const char* __tsan_default_suppressions();
extern "C" __attribute__((weak)) const char* __tsan_default_suppressions() {
  return "race:boost::asio::execution::detail::shared_target_executor::~shared_target_executor\n";
}
#endif
